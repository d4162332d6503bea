/** One file from film to probability: resizing, normalisation, network and metadata in a graph. */
import { normalizeImages, resizeImages } from "../images/index.portable.ts";
import type { Network } from "../models/index.ts";
import { graphBuilder, type Model, modelOf, type Tensor } from "../onnx/index.ts";
import { type ClassifierMetadata, writeMetadata } from "./metadata.ts";
import { averageMirrors, withMirrors } from "./mirrors.ts";
import { logitCount, probabilitiesOf } from "./task.ts";

/**
 * The classifier's model: `images` uint8 `[N, H, W]` of any size to `probabilities` `[N, C]`.
 * `state` replaces the network's initial weights by name.
 */
export function assembleClassifier(
  network: Network,
  state: ReadonlyMap<string, Tensor>,
  metadata: ClassifierMetadata,
): Model {
  const builder = graphBuilder();
  const films = builder.input("images", "uint8", ["N", "H", "W"]);
  const { input, task } = metadata;
  const resized = resizeImages(films, input);
  const seen = input.averaging ? withMirrors(resized) : resized;
  const said = network(normalizeImages(seen, input.normalization), logitCount(task));
  const logits = input.averaging ? averageMirrors(said) : said;
  builder.output(probabilitiesOf(logits, task), "probabilities");
  const graph = builder.build("classifier");
  const trained = {
    ...graph,
    initializers: new Map(
      [...graph.initializers].map(([name, contents]) => [name, state.get(name) ?? contents]),
    ),
  };
  return modelOf(trained, { metadata: writeMetadata(metadata) });
}
