/** A model in memory as a classifier for so long: what loads classifiers loads files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Classifier, loadClassifier } from "../classifier/index.node.ts";
import { writeModelFile } from "../onnx/index.node.ts";
import type { Model } from "../onnx/index.ts";

/** What the work returns, done with the model's classifier, which is closed after it. */
export async function withClassifier<T>(
  model: Model,
  work: (classifier: Classifier) => Promise<T>,
  options?: Parameters<typeof loadClassifier>[1],
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hilum-"));
  try {
    const file = join(folder, "model.onnx");
    writeModelFile(file, model);
    await using classifier = await loadClassifier(file, options);
    return await work(classifier);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
