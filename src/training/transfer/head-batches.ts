/** What each step of the head's stage is fed: rows of features, and which of their columns are kept. */
import { classOf } from "../../datasets/index.ts";
import { float32, type Tensor } from "../../onnx/index.ts";
import { hashPath } from "../../random.ts";
import type { Labels } from "../labels.ts";
import { epochOrder } from "../sampling.ts";
import type { HeadStage } from "./head.ts";

export interface EpochBatches {
  readonly steps: number;
  /** The tensors are filled anew by the next call. */
  feedsOf(step: number): Record<string, Tensor>;
}

/** The batches of an epoch, by its number from 0: a function of settings, samples and epoch. */
export function batchesOf(
  { settings, task, train }: Pick<HeadStage, "settings" | "task" | "train">,
  { batch, labels }: { readonly batch: number; readonly labels: Labels },
): (epoch: number) => EpochBatches {
  const { features, samples } = train;
  const { seed, featurePasses, headDropout, balance } = settings;
  const classes =
    balance === "sampling" ? samples.map((sample) => classOf(sample, task)) : undefined;
  const [x, kept] = [features.width, features.width].map((n) => new Float32Array(batch * n)) as [
    Float32Array,
    Float32Array,
  ];
  const [targets, weights] = [labels.targets, labels.weights].map((all) => ({
    all,
    rows: new Float32Array(batch * labels.width),
  })) as [Rows, Rows];
  const dims = { features: [batch, features.width], labels: [batch, labels.width] };
  return (epoch) => {
    const order = epochOrder(features.count, {
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
          features.readInto(index, passOf(index), x.subarray(place * features.width));
          for (const { all, rows } of [targets, weights])
            for (let column = 0; column < labels.width; column++)
              rows[place * labels.width + column] = all[index * labels.width + column]!;
        }
        if (headDropout > 0)
          drawKept(kept, headDropout, hashPath(seed, "head-dropout", epoch, step));
        return {
          features: float32(dims.features, x),
          ...(headDropout > 0 ? { kept: float32(dims.features, kept) } : {}),
          targets: float32(dims.labels, targets.rows),
          weights: float32(dims.labels, weights.rows),
        };
      },
    };
  };
}

interface Rows {
  readonly all: Float32Array;
  readonly rows: Float32Array;
}

/**
 * 0 for what is dropped, and for the rest the factor that keeps the sum what it was. A graph would
 * draw them by itself, and takes four times as long for it as for all the rest of the step. Source
 * of the mixer: "lowbias32" (Wellons, Hash Prospector, public domain), over a counter.
 */
export function drawKept(out: Float32Array, share: number, seed: number): void {
  const least = Math.round(share * 0x100000000);
  const factor = 1 / (1 - share);
  for (let place = 0; place < out.length; place++) {
    let h = (seed + Math.imul(place, 0x9e3779b9)) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    out[place] = (h ^ (h >>> 16)) >>> 0 >= least ? factor : 0;
  }
}
