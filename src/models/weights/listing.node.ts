/** All backbones with what they cost and where their weights come from. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Preprocessing } from "../backbone.ts";
import { BACKBONES } from "../backbones/table.ts";
import { graphCost } from "../graph-cost.ts";
import { backboneGraph } from "./backbone-graph.ts";
import { type CatalogueEntry, catalogueEntry } from "./catalogue.ts";
import { cachedWeights, weightsFolder } from "./pretrained.node.ts";

export interface ListedBackbone extends Omit<CatalogueEntry, "backbone" | "files"> {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** Side of the input that the weights were trained at. */
  readonly size: number;
  readonly preprocessing: Preprocessing;
  /** With the publisher's classifier. */
  readonly parameters: number;
  readonly featureParameters: number;
  /** Of one image at that size, the classifier included: two for each multiply-add. */
  readonly flops: number;
  /** `[N, C, h, w]`, or `[N, C]` of a transformer. */
  readonly features: readonly (number | string | null)[];
  readonly files: readonly (CatalogueEntry["files"][number] & { readonly isCached: boolean })[];
  /** The cached file that `--pretrained imagenet` takes. */
  readonly cached: string | null;
}

/** Every backbone; parameters and FLOPs are counted on its graph. */
export function listBackbones({ dir = weightsFolder() } = {}): ListedBackbone[] {
  return BACKBONES.map((entry) => {
    const { name, title, summary, size, preprocessing } = entry;
    const graph = backboneGraph(entry, { withTop: true });
    const { parameters, multiplyAdds } = graphCost(graph);
    const { backbone: _, files, ...source } = catalogueEntry(name);
    return {
      ...{ name, title, summary, size, preprocessing, parameters },
      featureParameters: graphCost(backboneGraph(entry)).parameters,
      flops: 2 * multiplyAdds,
      features: graph.outputs[0]!.shape!,
      ...source,
      files: files.map((file) => ({ ...file, isCached: existsSync(join(dir, file.name)) })),
      cached: cachedWeights(catalogueEntry(name), dir),
    };
  });
}
