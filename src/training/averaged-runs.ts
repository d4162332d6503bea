/** The models of several runs as one: the mean of their weights. */
import { weightsAveraged } from "../classifier/index.ts";
import { HilumError } from "../errors.ts";
import { readModelFile } from "../onnx/index.node.ts";
import type { Model } from "../onnx/index.ts";
import type { RunConfig, RunFolder } from "./run-folder.ts";

/**
 * The run's model with each weight the mean of its own and of the others', uncalibrated and without
 * an operating point. Throws `models-unlike` where a run held out other patients (the films that judge
 * the mean would have trained a part of it) or began with other weights (between these lies no
 * network of use), and where the networks differ.
 */
export async function averagedRuns(run: RunFolder, others: readonly RunFolder[]): Promise<Model> {
  const own = run.config();
  for (const other of others) {
    const why = unlike(own, other.config());
    if (why)
      throw new HilumError(
        "models-unlike",
        `${other.path} cannot be averaged with ${run.path}: ${why}. Train both from one file of weights (--weights) and with one split (the same data, --seed and --val-fraction).`,
        { run: run.path, other: other.path, why },
      );
  }
  const rest = await Promise.all(others.map((other) => readModelFile(other.file("model"))));
  return weightsAveraged([await readModelFile(run.file("model")), ...rest]);
}

function unlike(own: RunConfig, other: RunConfig): string | undefined {
  if (own.manifestSha256 !== other.manifestSha256)
    return "its films or their split into training and validation are others";
  if (own.settings.weightsSha256 !== other.settings.weightsSha256)
    return "it began with another file of weights";
  // Without a file the seed draws them.
  if (own.settings.weightsSha256 === null && own.settings.seed !== other.settings.seed)
    return "it began with weights that another seed drew";
  return undefined;
}
