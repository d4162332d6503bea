/** Networks by name, and the layers that they and your own are made of. */
export type { Backbone, BackboneEntry, Preprocessing } from "./backbone.ts";
export { BACKBONES, backboneEntry } from "./backbones/table.ts";
export { type GraphCost, graphCost } from "./graph-cost.ts";
export { type ConvOptions, type LayerFactory, layersOf } from "./layers.ts";
export type { Network, NetworkEntry, NetworkOptions, Recipe } from "./network.ts";
export { entryNamed, NETWORKS, networkEntry } from "./registry.ts";
export { blocksOf } from "./surgery/blocks.ts";
export { type CutBackbone, type CutOptions, cutBackbone } from "./surgery/cut.ts";
export { embedGraph } from "./surgery/embed.ts";
export { type FeatureLayer, featureLayer } from "./surgery/feature-layer.ts";
export { type GreyScale, greyStem } from "./surgery/grey-stem.ts";
export {
  fullWeights,
  STORED_WEIGHTS,
  type StoredWeights,
  storeWeights,
} from "./surgery/stored-weights.ts";
export { type BackboneGraphOptions, backboneGraph } from "./weights/backbone-graph.ts";
export type {
  CatalogueEntry,
  ConvertedFile,
  Digest,
  PublishedFile,
} from "./weights/catalogue.ts";
export type { NamedTensors, WeightConvention } from "./weights/named-tensors.ts";
