/** A classifier that reads each film together with its mirror. */
import type { Model } from "../onnx/index.ts";
import { uncalibrated } from "./calibrated.ts";
import { landmarksOf, spliced } from "./landmarks.ts";
import { readMetadata, writeMetadata } from "./metadata.ts";
import { averageMirrors, withMirrors } from "./mirrors.ts";

/**
 * The model with its logits averaged over each film and its mirror (test-time augmentation by
 * flipping); the model itself where it does so already. Its probabilities are others than before:
 * the calibration, the operating point and the metrics are gone. Comes before calibration and all
 * other passes. Throws `not-a-classifier`.
 */
export function flipAveraged(model: Model): Model {
  const before = readMetadata(model.metadata, "the model");
  if (before.input.averaging) return model;
  const plain = uncalibrated(model);
  const { resized, logits } = landmarksOf(plain);
  const graph = spliced(plain.graph, { [resized]: withMirrors, [logits]: averageMirrors });
  const { card: _, ...kept } = before;
  const metadata = writeMetadata({
    ...kept,
    input: { ...kept.input, averaging: "flip" },
    operatingPoint: null,
    metrics: {},
    calibration: null,
  });
  const others = [...plain.metadata].filter(([key]) => key !== "hilum.card");
  return { ...plain, graph, metadata: new Map([...others, ...metadata]) };
}
