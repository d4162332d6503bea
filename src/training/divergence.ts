/** Training that left the numbers. */
import { HilumError } from "../errors.ts";
import type { Progress } from "./checkpoint.ts";
import type { Run } from "./run.ts";

export interface Divergence {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** Throws `training-diverged`, naming where and at which rate. */
export function refuseDivergence(
  { settings, folder }: Run,
  { epoch, step }: Progress,
  { loss, gradientNorm, learningRate }: Divergence,
): never {
  const where = { epoch: epoch + 1, step: step + 1 };
  const clipping = settings.clipNorm === null ? "clipNorm 1, " : "";
  throw new HilumError(
    "training-diverged",
    `The loss is ${loss} (gradient norm ${gradientNorm}) in epoch ${where.epoch}, step ${where.step}, at a learning rate of ${learningRate.toPrecision(3)}. Try ${clipping}a third of the rate (--lr ${(settings.lr / 3).toPrecision(1)}) or a longer --warmup, into another --out. The last checkpoint is intact: ${folder.path}`,
    {
      run: folder.path,
      ...where,
      learningRate,
      loss: String(loss),
      gradientNorm: String(gradientNorm),
    },
  );
}
