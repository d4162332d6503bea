/** What of the models room needs Node: weight files, fetched, kept and read. */
export type { DownloadOptions, Patience } from "./weights/download.node.ts";
export {
  type ExportedBackbone,
  type ExportOptions,
  exportBackbone,
} from "./weights/export-backbone.node.ts";
export { type ListedBackbone, listBackbones } from "./weights/listing.node.ts";
export {
  type PretrainedOptions,
  type Pulled,
  type PullOptions,
  pretrainedWeights,
  pullWeights,
  weightsFolder,
} from "./weights/pretrained.node.ts";
export { readWeights } from "./weights/read-weights.node.ts";
