/** What each step of the head's stage is fed: rows of features, and which of their columns are kept. */
import { classOf } from "../../datasets/index.ts";
import { float32, type Tensor } from "../../onnx/index.ts";
import { hashPath } from "../../random.ts";
import type { Labels } from "../labels.ts";
import type { Settings } from "../options.ts";
import { epochOrder } from "../sampling.ts";
import type { HeadSets } from "./head-sets.ts";

export interface EpochBatches {
  readonly steps: number;
  /** The tensors are filled anew by the next call. */
  feedsOf(step: number): Record<string, Tensor>;
}

/** The batches of an epoch, by its number from 0: a function of settings, samples and epoch. */
export function batchesOf(
  { rows, samples, task }: Pick<HeadSets, "rows" | "samples" | "task">,
  settings: Settings,
  { batch, labels }: { readonly batch: number; readonly labels: Labels },
): (epoch: number) => EpochBatches {
  const { width } = rows;
  const { seed, featurePasses, headDropout, balance } = settings;
  const classes =
    balance === "sampling" ? samples.map((sample) => classOf(sample, task)) : undefined;
  const x = new Float32Array(batch * width);
  const kept = headDropout > 0 ? keptOf({ batch, width, share: headDropout, seed }) : undefined;
  const [targets, weights] = [labels.targets, labels.weights].map((all) => ({
    all,
    rows: new Float32Array(batch * labels.width),
  })) as [LabelRows, LabelRows];
  const dims = { features: [batch, width], labels: [batch, labels.width] };
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
      feedsOf(step) {
        for (let place = 0; place < batch; place++) {
          const index = order[step * batch + place]!;
          rows.readInto(index, passOf(index), x.subarray(place * width, (place + 1) * width));
          for (const { all, rows } of [targets, weights])
            for (let column = 0; column < labels.width; column++)
              rows[place * labels.width + column] = all[index * labels.width + column]!;
        }
        return {
          features: float32(dims.features, x),
          ...(kept ? { kept: float32(dims.features, kept(epoch, step)) } : {}),
          targets: float32(dims.labels, targets.rows),
          weights: float32(dims.labels, weights.rows),
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
function keptOf({
  batch,
  width,
  share,
  seed,
}: KeptShape): (epoch: number, step: number) => Float32Array {
  const noise = new Float32Array(NOISE + width);
  drawKept(noise, share, hashPath(seed, "head-dropout"));
  const kept = new Float32Array(batch * width);
  return (epoch, step) => {
    const own = hashPath(seed, "head-dropout", epoch, step);
    for (let place = 0; place < batch; place++) {
      const from = mixed(own, place) & (NOISE - 1);
      kept.set(noise.subarray(from, from + width), place * width);
    }
    return kept;
  };
}

interface KeptShape {
  readonly batch: number;
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
