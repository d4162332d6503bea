/** Hilum's side of the inference bench: a classifier's file as `train` exports it, loaded as users do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parameterNames } from "../src/autodiff/index.ts";
import { loadClassifier } from "../src/classifier/index.node.ts";
import { assembleClassifier } from "../src/classifier/index.ts";
import { assert } from "../src/errors.ts";
import { writeModelFile } from "../src/onnx/index.node.ts";
import type { Model } from "../src/onnx/index.ts";
import { randomStream } from "../src/random.ts";
import { type OurSteps, TASK } from "./our-training.ts";
import type { Work } from "./works.ts";

/** A step gives the probabilities of one batch of films. */
export async function openOurInference(
  work: Work,
  { threads }: { readonly threads: number },
): Promise<OurSteps> {
  const folder = mkdtempSync(join(tmpdir(), "hilum-inference-"));
  const file = join(folder, "model.onnx");
  const model = classifierOf(work);
  writeModelFile(file, model);
  const classifier = await loadClassifier(file, { threads });
  rmSync(folder, { recursive: true });
  const random = randomStream(1, "bench");
  const { size } = work;
  const films = Array.from({ length: work.batch }, () => ({
    width: size,
    height: size,
    pixels: Uint8Array.from({ length: size * size }, () => random.integer(256)),
    source: { format: "none", bitsPerSample: 8 as const, window: null },
  }));
  return {
    parameters: parameterNames(model.graph).map((name) => model.graph.initializers.get(name)!.dims),
    async step() {
      const probabilities = await classifier.probabilities(films);
      assert(
        probabilities.flatMap((row) => [...row]).every(Number.isFinite),
        "a result is no number",
      );
    },
    close: () => classifier.close(),
  };
}

/** With its initial weights: how long it takes does not hang on them. */
export function classifierOf({ network, size }: Work): Model {
  return assembleClassifier(network(1), new Map(), {
    task: TASK,
    input: { size, fit: "squash", normalization: "standardize", window: null },
    operatingPoint: { threshold: 0.5, rule: "none: a bench" },
    provenance: {},
    metrics: {},
  });
}
