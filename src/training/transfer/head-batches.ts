/** What the steps of the head's stage are fed: rows of features, and which of their columns are kept. */
import { classOf } from "../../datasets/index.ts";
import { float32, type Tensor } from "../../onnx/index.ts";
import { hashPath } from "../../random.ts";
import type { Labels } from "../labels.ts";
import type { Settings } from "../options.ts";
import { epochOrder } from "../sampling.ts";
import type { HeadSets } from "./head-sets.ts";

export interface EpochBatches {
  readonly steps: number;
  /** Of some steps in a row, stacked along the first axis. The tensors are filled anew by the next call. */
  feedsOf(steps: StepRange): Record<string, Tensor>;
}

export interface StepRange {
  /** Counted from 0 in the epoch. */
  readonly from: number;
  readonly count: number;
}

interface BatchesShape {
  readonly batch: number;
  readonly labels: Labels;
  /** Steps at most that are asked for together. */
  readonly atOnce: number;
}

/** The batches of an epoch, by its number from 0: a function of settings, samples and epoch. */
export function batchesOf(
  { rows, samples, task }: Pick<HeadSets, "rows" | "samples" | "task">,
  settings: Settings,
  { batch, labels, atOnce }: BatchesShape,
): (epoch: number) => EpochBatches {
  const { width } = rows;
  const { seed, featurePasses, headDropout, balance } = settings;
  const classes =
    balance === "sampling" ? samples.map((sample) => classOf(sample, task)) : undefined;
  const room = atOnce * batch;
  const at = new Int32Array(room);
  const drop =
    headDropout > 0 ? keptOf({ rows: room, width, share: headDropout, seed }) : undefined;
  const [targets, weights] = [labels.targets, labels.weights].map((all) => ({
    all,
    rows: new Float32Array(room * labels.width),
  })) as [LabelRows, LabelRows];
  return (epoch) => {
    const order = epochOrder(rows.count, {
      seed: hashPath(seed, "head"),
      epoch,
      step: batch,
      classes,
    });
    const passOf = (index: number) =>
      featurePasses === 0 ? 0 : hashPath(seed, "feature-pass", epoch, index) % (featurePasses + 1);
    return {
      steps: order.length / batch,
      feedsOf({ from, count }) {
        const stacked = (values: Float32Array, width: number) =>
          float32([count, batch, width], values.subarray(0, count * batch * width));
        const indices = order.subarray(from * batch, (from + count) * batch);
        const matrix = rows.gathered(indices, Uint16Array.from(indices, passOf), at);
        for (const [place, index] of indices.entries())
          for (const { all, rows } of [targets, weights])
            for (let column = 0; column < labels.width; column++)
              rows[place * labels.width + column] = all[index * labels.width + column]!;
        for (let step = 0; step < count; step++)
          drop?.draw(epoch, from + step, step * batch, batch);
        return {
          rows: float32([matrix.length / width, width], matrix),
          at: { type: "int32", dims: [count, batch], data: at.subarray(0, indices.length) },
          ...(drop ? { kept: stacked(drop.kept, width) } : {}),
          targets: stacked(targets.rows, labels.width),
          weights: stacked(weights.rows, labels.width),
        };
      },
    };
  };
}

interface LabelRows {
  readonly all: Float32Array;
  readonly rows: Float32Array;
}

/** Columns of noise, of which each row of a step takes its own stretch; a power of 2. */
const NOISE = 2 ** 18;

/**
 * For each step 0 for what is dropped, and for the rest the factor that keeps the sum what it was. A
 * row is a stretch of one long noise from a place of its own: to draw each column anew took more than
 * all the rest of a step (64 x 1280: 0.48 ms of 0.8), and a graph four times that.
 */
function keptOf({ rows, width, share, seed }: KeptShape) {
  const noise = new Float32Array(NOISE + width);
  drawKept(noise, share, hashPath(seed, "head-dropout"));
  const kept = new Float32Array(rows * width);
  return {
    kept,
    /** Draws a step's rows, from the row `first` on. */
    draw(epoch: number, step: number, first: number, batch: number) {
      const own = hashPath(seed, "head-dropout", epoch, step);
      for (let place = 0; place < batch; place++) {
        const from = mixed(own, place) & (NOISE - 1);
        kept.set(noise.subarray(from, from + width), (first + place) * width);
      }
    },
  };
}

interface KeptShape {
  readonly rows: number;
  readonly width: number;
  readonly share: number;
  readonly seed: number;
}

/** Draws whether each place is kept. */
export function drawKept(out: Float32Array, share: number, seed: number): void {
  const least = Math.round(share * 0x100000000);
  const factor = 1 / (1 - share);
  for (let place = 0; place < out.length; place++)
    out[place] = mixed(seed, place) >>> 0 >= least ? factor : 0;
}

/** A hash of a counter. Source: "lowbias32" (Wellons, Hash Prospector, public domain). */
function mixed(seed: number, counter: number): number {
  let h = (seed + Math.imul(counter, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}
