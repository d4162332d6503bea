/** A classifier that also gives what its head sees. */
import type { Model } from "../onnx/index.ts";
import { landmarksOf, spliced } from "./landmarks.ts";
import { readMetadata, writeMetadata } from "./metadata.ts";
import { averageMirrors } from "./mirrors.ts";

/** The output's name. */
export const FEATURES = "features";

/**
 * The model with an output `features` float32 `[N, F]`: the pooled values that its head sees, of the
 * film and its mirror averaged where the logits are. The model itself where it has them already.
 * Throws `not-a-classifier`, also where the network ends with no dense head.
 */
export function withFeatures(model: Model): Model {
  if (model.graph.outputs.some(({ name }) => name === FEATURES)) return model;
  const metadata = readMetadata(model.metadata, "the model");
  const { features } = landmarksOf(model);
  let width = 0;
  const graph = spliced(model.graph, {
    [features]: (value) => {
      width = Number(value.shape[1]);
      const averaged = metadata.input.averaging ? averageMirrors(value) : value;
      value.builder.output(averaged, FEATURES);
      return value;
    },
  });
  const described = writeMetadata({ ...metadata, features: { width } });
  return { ...model, graph, metadata: new Map([...model.metadata, ...described]) };
}
