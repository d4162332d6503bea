/** Heat maps of films by any method, in Node. */
import { labelsOf, type Task } from "../datasets/index.portable.ts";
import { HilumError } from "../errors.ts";
import { openSession, type Session } from "../onnx/index.node.ts";
import { float32, int64, type Model, type Tensor } from "../onnx/index.ts";
import { batchOf, equalSizesFrom, type Film } from "./film-batches.ts";
import { HEAT_MAP, withHeatMap } from "./heat-map.ts";
import { integratedGradientsGraph } from "./integrated-gradients.ts";
import { explainedLabel, logitFactors } from "./logits.ts";
import { HEAT_MAP_METHODS, type HeatMapMethod, readMetadata } from "./metadata.ts";
import { type ClassifierParts, PICTURE, partsOf } from "./network-of.ts";
import { cellsOf, OCCLUSION_CELLS, occlusionGraph } from "./occlusion.ts";

export const EXPLANATION_METHODS = [
  ...HEAT_MAP_METHODS,
  "occlusion",
  "integrated-gradients",
] as const;
export type ExplanationMethod = (typeof EXPLANATION_METHODS)[number];

/** Values over the film, row by row; those below 0 (of occlusion and gradients) speak against. */
export interface HeatMap {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

export interface Explained {
  /** In the order of the labels. */
  readonly probabilities: Float32Array;
  /** The label that the heat map speaks for. */
  readonly label: string;
  readonly heatMap: HeatMap;
}

export interface ExplainOptions {
  /** By default that of the heat map in the file, else Grad-CAM. */
  readonly method?: ExplanationMethod | undefined;
  /** A label; the positive class, or each film's most probable one, where none is given. */
  readonly class?: string | undefined;
  readonly threads?: number | undefined;
  /** Steps of integrated gradients, rounded up to a multiple of eight. */
  readonly steps?: number | undefined;
  /** Cells along a side of occlusion. */
  readonly cells?: number | undefined;
}

export interface Explainer {
  readonly method: ExplanationMethod;
  /** Of films of any sizes, in their order. */
  explain(films: readonly Film[]): Promise<Explained[]>;
  close(): Promise<void>;
}

const STEPS = 32;
/** Points of the line that go through the network at once. */
const POINTS = 8;

/**
 * An explainer of the classifier. Grad-CAM and its kin take one run of a film; occlusion takes one
 * for every cell, integrated gradients one forward and backward for every step. Throws
 * `no-heat-map`, `invalid-option` and `not-a-classifier`.
 */
export async function openExplainer(
  model: Model,
  options: ExplainOptions = {},
): Promise<Explainer> {
  const { task, heatmap } = readMetadata(model.metadata, "the model");
  const { method = heatmap?.method ?? "grad-cam" } = options;
  const label = explainedLabel(task, options.class);
  return isInGraph(method)
    ? camExplainer(model, method, label, options)
    : pixelExplainer(partsOf(model), method, label, options);
}

const isInGraph = (method: ExplanationMethod): method is HeatMapMethod =>
  (HEAT_MAP_METHODS as readonly string[]).includes(method);

async function camExplainer(
  model: Model,
  method: HeatMapMethod,
  label: string | null,
  { threads }: ExplainOptions,
): Promise<Explainer> {
  const { task, heatmap: own } = readMetadata(model.metadata, "the model");
  const isThere = own?.method === method && own.class === label;
  const mapped = isThere ? model : withHeatMap(model, { method, class: label ?? undefined });
  const session = await openSession(mapped, { threads });
  return {
    method,
    async explain(films) {
      const results: Explained[] = [];
      for (let start = 0; start < films.length; ) {
        const end = equalSizesFrom(films, start);
        const feeds = { images: batchOf(films.slice(start, end)) };
        const output = await session.run(feeds, ["probabilities", HEAT_MAP]);
        const rows = rowsOf(output.probabilities!);
        const maps = rowsOf(output[HEAT_MAP]!);
        const [, height, width] = output[HEAT_MAP]!.dims as [number, number, number];
        rows.forEach((probabilities, index) => {
          const heatMap = { width, height, values: maps[index]! };
          results.push({
            probabilities,
            label: label ?? mostProbable(probabilities, task),
            heatMap,
          });
        });
        start = end;
      }
      return results;
    },
    close: () => session.close(),
  };
}

async function pixelExplainer(
  parts: ClassifierParts,
  method: Exclude<ExplanationMethod, HeatMapMethod>,
  label: string | null,
  { threads, steps = STEPS, cells = OCCLUSION_CELLS }: ExplainOptions,
): Promise<Explainer> {
  if (!(cells >= 2 && cells <= parts.size))
    throw new HilumError("invalid-option", `Cells of occlusion are 2 to ${parts.size} a side.`, {
      option: "cells",
      value: cells,
    });
  const whole = await openSession(parts.whole, { threads });
  const graph =
    method === "occlusion" ? occlusionGraph(parts, cells) : integratedGradientsGraph(parts, POINTS);
  const session = await openSession(graph, { threads });
  const { task, size } = parts;
  const heatOf = (picture: Tensor, factors: readonly number[]) =>
    method === "occlusion"
      ? occluded(session, picture, factors, cells)
      : integrated(session, { picture, factors, size, steps: Math.ceil(steps / POINTS) * POINTS });
  return {
    method,
    async explain(films) {
      const results: Explained[] = [];
      for (const film of films) {
        const output = await whole.run({ images: batchOf([film]) }, ["probabilities", PICTURE]);
        const probabilities = output.probabilities!.data as Float32Array;
        const of = label ?? mostProbable(probabilities, task);
        const picture = float32([1, 1, size, size], rowsOf(output[PICTURE]!)[0]!);
        const heatMap = await heatOf(picture, logitFactors(task, of));
        results.push({ probabilities, label: of, heatMap });
      }
      return results;
    },
    async close() {
      await whole.close();
      await session.close();
    },
  };
}

async function occluded(
  session: Session,
  picture: Tensor,
  factors: readonly number[],
  cells: number,
): Promise<HeatMap> {
  const falls: number[][] = [];
  for (let row = 0; row < cells - 1; row++) {
    const { logits } = await session.run({ picture, row: int64([1], [row]) });
    const scores = rowsOf(logits!).map((values) =>
      factors.reduce((sum, factor, index) => sum + factor * values[index]!, 0),
    );
    const whole = scores.at(-1)!;
    falls.push(scores.slice(0, -1).map((score) => whole - score));
  }
  return { width: cells, height: cells, values: cellsOf(falls, cells) };
}

async function integrated(
  session: Session,
  {
    picture,
    factors,
    steps,
    size,
  }: { picture: Tensor; factors: readonly number[]; steps: number; size: number },
): Promise<HeatMap> {
  const values = new Float32Array(size * size);
  const wanted = float32([1, factors.length], factors);
  for (let start = 0; start < steps; start += POINTS) {
    const places = Array.from({ length: POINTS }, (_, k) => (start + k + 0.5) / steps);
    const feeds = { picture, wanted, steps: float32([POINTS, 1, 1, 1], places) };
    const { attribution } = await session.run(feeds, ["attribution"]);
    const data = attribution!.data as Float32Array;
    for (let i = 0; i < values.length; i++) values[i]! += data[i]! / steps;
  }
  return { width: size, height: size, values };
}

function mostProbable(probabilities: Float32Array, task: Task): string {
  const labels = labelsOf(task);
  return labels[probabilities.indexOf(Math.max(...probabilities))]!;
}

function rowsOf({ dims, data }: Tensor): Float32Array[] {
  const count = dims[0]!;
  const length = data.length / count;
  return Array.from({ length: count }, (_, row) =>
    (data as Float32Array).slice(row * length, (row + 1) * length),
  );
}
