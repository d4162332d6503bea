/** What a classifier of Hilum's has learned, without its head: where another training can begin. */
import { type Model, modelOf } from "../onnx/index.ts";
import { withoutGate } from "./gate/with-gate.ts";
import { landmarksOf } from "./landmarks.ts";
import { type ClassifierInput, readMetadata } from "./metadata.ts";
import { networkBetween } from "./network-of.ts";

export interface ClassifierBackbone {
  /** One input float32 `[N, 1, S, S]`, films as `input` says; one output, what the head saw, `[N, F]`. */
  readonly model: Model;
  readonly input: ClassifierInput;
}

/**
 * The classifier's network up to its head. Gate, heat map, calibration and averaging over mirrors
 * stay behind. Throws `not-a-classifier`, also for a network that ends with no dense head.
 */
export function backboneOf(model: Model): ClassifierBackbone {
  const { input } = readMetadata(model.metadata, "the model");
  const plain = withoutGate(model);
  const { normalized, features } = landmarksOf(plain);
  return { model: modelOf(networkBetween(plain.graph, normalized, [features], input.size)), input };
}
