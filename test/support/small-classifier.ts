/** A classifier that nobody trained: its answers mean nothing, and are always the same. */
import { assembleClassifier, type OperatingPoint } from "../../src/classifier/index.ts";
import type { Task } from "../../src/datasets/index.ts";
import { networkEntry } from "../../src/models/index.ts";
import { writeModelFile } from "../../src/onnx/index.node.ts";

export const BINARY: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };

/** Writes the file; `seed` chooses the weights. */
export function writeSmallClassifier(
  path: string,
  task: Task = BINARY,
  {
    seed = 1,
    operatingPoint = null,
    size = 32,
  }: { seed?: number; operatingPoint?: OperatingPoint | null; size?: number } = {},
): void {
  const network = networkEntry("cnn").build({ width: 0.25, depth: 1, seed });
  const model = assembleClassifier(network, new Map(), {
    task,
    input: { size, fit: "squash", normalization: "standardize", window: null },
    operatingPoint,
    provenance: {},
    metrics: {},
  });
  writeModelFile(path, model);
}
