import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import type { Loss } from "../autodiff/index.ts";
import { rateRangePlot } from "../evaluation/index.ts";
import { operators as op } from "../onnx/index.ts";
import { findLearningRate, withFoundRate } from "./rate-range.ts";
import { type RatePoint, suggestRate } from "./rate-suggestion.ts";
import { train } from "./train.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 30, size: 32, seed: 4 });
const TINY = {
  model: "cnn",
  width: 0.1,
  size: 16,
  batch: 8,
  threads: 1,
  valFraction: 0.2,
} as const;

/** A loss that is 1, falls from `from` to `to`, and rises again. */
function curve(from: number, to: number): RatePoint[] {
  return Array.from({ length: 100 }, (_, step) => {
    const lr = 1e-6 * 1e6 ** (step / 99);
    const share = Math.log(lr / from) / Math.log(to / from);
    const smoothed = share < 0 ? 1 : share < 1 ? 1 - 0.6 * share : 0.4 + 2 * (share - 1);
    return { lr, loss: smoothed, smoothed };
  });
}

describe("the suggested rate", () => {
  it("lies in the valley, before its floor", () => {
    for (const [from, to] of [
      [1e-5, 1e-3],
      [1e-4, 1e-1],
    ] as const) {
      const rate = suggestRate(curve(from, to))!;
      // Half-way down on the logarithm, within the sections' rounding.
      expect(Math.log(rate / from) / Math.log(to / from)).toBeGreaterThan(0.4);
      expect(Math.log(rate / from) / Math.log(to / from)).toBeLessThan(0.6);
    }
  });

  it("is none where the loss never falls", () => {
    const rising = curve(1e-5, 1e-3).map((point, step) => ({ ...point, smoothed: 1 + step }));
    expect(suggestRate(rising)).toBeNull();
    expect(suggestRate([])).toBeNull();
  });
});

describe("the range test", () => {
  it("repeats itself, ends at its rates or where the loss is lost, and leaves nothing", async () => {
    const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith("hilum-lr-"));
    const before = leftovers();
    const told: string[] = [];
    const onProgress = (doing: string) => told.push(doing);
    const find = () => findLearningRate(films, TINY, { cacheFolder, steps: 40, onProgress });
    const found = await find();
    expect(await find()).toEqual(found);
    expect(found.points[0]!.lr).toBe(1e-6);
    expect(found.points.length).toBeGreaterThan(15);
    const rates = found.points.map(({ lr }) => lr);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(found.recipe).toBeGreaterThan(0);
    expect(told).toContain("steps");
    expect(leftovers()).toEqual(before);
    const svg = await rateRangePlot(found.points, found.suggestion);
    expect(svg).toContain("Learning rate");
  });

  it("stops when it is told to", async () => {
    const error = await rejection(
      findLearningRate(films, TINY, { cacheFolder, signal: AbortSignal.abort() }),
    );
    expect(error.code).toBe("interrupted");
  });

  it("says that the first loss is no number, where there is none", async () => {
    const loss: Loss = ({ logits }) =>
      op.reduceMean(
        op.sqrt(op.sub(op.mul(logits, logits.builder.scalar(0)), logits.builder.scalar(1))),
        {
          keepsDims: false,
        },
      );
    const error = await rejection(findLearningRate(films, TINY, { cacheFolder, loss, steps: 3 }));
    expect(error.code).toBe("training-diverged");
    expect(error.message).toContain("NaN before any training");
  });

  it("gives training its rate, and a run that is there keeps its own", async () => {
    const out = place("auto");
    const options = await withFoundRate(films, TINY, { out, cacheFolder });
    expect(options.lr).toBe(Number(options.lr!.toPrecision(3)));
    expect(options).toEqual({ ...TINY, lr: options.lr });
    await train(films, { ...TINY, lr: 0.0123, epochs: 1 }, { out, cacheFolder });
    expect((await withFoundRate(films, TINY, { out, cacheFolder })).lr).toBe(0.0123);
  });
});
