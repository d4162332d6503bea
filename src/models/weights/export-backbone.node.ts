/** A bare backbone as an ONNX file that says how its input is prepared and where it is from. */
import { basename } from "node:path";
import { inspectModel, writeModelFile } from "../../onnx/index.node.ts";
import { type Model, modelOf } from "../../onnx/index.ts";
import { VERSION } from "../../version.ts";
import type { BackboneEntry } from "../backbone.ts";
import { backboneEntry } from "../backbones/table.ts";
import { backboneGraph } from "./backbone-graph.ts";
import { type CatalogueEntry, catalogueEntry } from "./catalogue.ts";
import { digestsOf } from "./digest.node.ts";
import { pretrainedWeights } from "./pretrained.node.ts";
import { readWeights } from "./read-weights.node.ts";

export interface ExportOptions {
  /** A file; by default the published weights in the cache. */
  readonly weights?: string | undefined;
  /** The publisher's classifier; by default it is exported where the file has it. */
  readonly withTop?: boolean | undefined;
  readonly out: string;
}

export interface ExportedBackbone {
  readonly backbone: string;
  readonly model: string;
  readonly weights: string;
  /** Of the weight file. */
  readonly sha256: string;
  /** Whether that is a file of the publisher's, or what their line makes of one. */
  readonly isPublished: boolean;
  readonly inputs: ReturnType<typeof inspectModel>["inputs"];
  readonly outputs: ReturnType<typeof inspectModel>["outputs"];
}

/**
 * Writes the backbone as ONNX: input `x` float32 [N, 3, S, S], normalised as its publisher does;
 * outputs `features`, and `probabilities` where the file has the classifier. Throws
 * `unknown-model`, `weights-mismatch`, `weights-missing` and what reading the weights throws.
 */
export async function exportBackbone(
  name: string,
  { weights, withTop, out }: ExportOptions,
): Promise<ExportedBackbone> {
  const entry = backboneEntry(name);
  const path = weights ?? pretrainedWeights(name, { withTop: withTop === true });
  const graph = backboneGraph(entry, { weights: await readWeights(path), withTop });
  const digests = digestsOf(path, ["md5", "sha256"]);
  const isPublished = isStated(catalogueEntry(name), digests);
  const metadata = describe(entry, { file: basename(path), sha256: digests.sha256, isPublished });
  const model: Model = { ...modelOf(graph, { metadata }), producer: PRODUCER };
  writeModelFile(out, model);
  const { inputs, outputs } = inspectModel(model);
  const facts = { backbone: name, model: out, weights: path, sha256: digests.sha256, isPublished };
  return { ...facts, inputs, outputs };
}

const PRODUCER = { name: "hilum", version: VERSION };

const NOTICE = "Not for clinical use. A network for ordinary photographs, the start of a training.";

/** What the file says of itself: plain facts, no paths. */
function describe(
  { name, title, size, preprocessing }: BackboneEntry,
  weights: { file: string; sha256: string; isPublished: boolean },
): Map<string, string> {
  const { trainedOn, licence, cited } = catalogueEntry(name);
  const source = weights.isPublished ? { trainedOn, licence, cited } : {};
  return new Map([
    ["hilum.notice", NOTICE],
    ["hilum.backbone", JSON.stringify({ name, title, size })],
    [
      "hilum.preprocessing",
      JSON.stringify({
        formula: "(pixel - mean) / deviation, pixels of 0 to 255",
        ...preprocessing,
      }),
    ],
    ["hilum.provenance", JSON.stringify({ ...weights, ...source })],
  ]);
}

function isStated(
  { files, converted }: CatalogueEntry,
  digests: Readonly<Record<"md5" | "sha256", string>>,
): boolean {
  const stated = [...files, ...(converted ? [converted] : [])];
  return stated.some(({ digest }) => digest && digests[digest.algorithm].startsWith(digest.value));
}
