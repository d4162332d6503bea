/** A run that dies at any change of its folder, and is resumed, ends as if it had never died. */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { crashingAt } from "../../test/support/crashing-disk.ts";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { contentsOf, expectSameRun } from "../../test/support/run-contents.ts";
import { smallBackbone } from "../../test/support/small-backbone.ts";
import { openDataset } from "../datasets/index.ts";
import type { TrainOptions } from "./options.ts";
import { runFolder } from "./run-folder.ts";
import { train } from "./train.ts";

vi.mock("node:fs", async () => (await import("../../test/support/crashing-disk.ts")).crashableFs());

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });
const dataset = await openDataset(films);

/** Small enough that a run takes a few tenths of a second. */
const TINY = { size: 16, threads: 2, valFraction: 0.2 } as const;
const SCALED = { width: 0.1, depth: 0.5 } as const;
const backbone = smallBackbone(TINY.size);

const PRETRAINED = "a pretrained backbone, its head, two of its blocks, averages";

/** Between them: norms, dropout, averages, micro-batches, every kind of noise, balance and end. */
const RUNS: Readonly<Record<string, TrainOptions>> = {
  "residual, micro-batches, averages, mixup, balanced sampling, plateau": {
    model: "residual",
    batch: 4,
    microBatches: 2,
    epochs: 2,
    averageDecay: 0.9,
    augmentation: "strong",
    mixup: 0.4,
    balance: "sampling",
    schedule: "plateau",
  },
  "depthwise, early stopping, class weights, one cycle, momentum": {
    model: "depthwise",
    batch: 8,
    epochs: 4,
    patience: 1,
    optimizer: "sgd",
    balance: "weights",
    schedule: "onecycle",
    metric: "logLoss",
    lr: 0.3,
  },
  [PRETRAINED]: {
    batch: 8,
    epochs: 2,
    headEpochs: 3,
    featurePasses: 1,
    unfreeze: 2,
    layerDecay: 0.5,
    averageDecay: 0.9,
    augmentation: "light",
  },
  "plain, cosine with warm-up, label smoothing": {
    model: "plain",
    batch: 8,
    epochs: 2,
    warmup: 0.5,
    labelSmoothing: 0.1,
    augmentation: "light",
  },
};

/** Every step is saved, so that there is much to die in. */
const once = (out: string, options: TrainOptions) => {
  const context = { out, isResumed: true, cacheFolder, checkpointMs: 0 };
  return options === RUNS[PRETRAINED]
    ? train(dataset, { ...TINY, ...options }, { ...context, backbone })
    : train(dataset, { ...TINY, ...SCALED, ...options }, context);
};

/**
 * Most files take three changes (open, write, rename), so this meets each kind of them; with 1, every
 * instant is tried.
 */
const STRIDE = 10;

/** Locks name a process that is still there, the one that runs the tests: it has to look dead. */
function buryHolder(out: string): void {
  for (const name of existsSync(out) ? readdirSync(out) : []) {
    if (!name.startsWith(".lock")) continue;
    rmSync(join(out, name));
    const buried = name.replace(/^(\.lock\.\d+)-\d+/, "$1-1");
    writeFileSync(join(out, buried), JSON.stringify({ pid: process.pid, started: "1" }));
  }
}

describe.each(Object.entries(RUNS))("a run of %s", (_, options) => {
  const first = 1 + Object.values(RUNS).indexOf(options);

  it("that dies anywhere ends in the same bits once it is resumed", async () => {
    const whole = place("whole");
    const { changes } = await crashingAt(Number.POSITIVE_INFINITY, whole, () =>
      once(whole, options),
    );
    expect(changes).toBeGreaterThan(60);

    const expected = contentsOf(whole);
    const again = place("again");
    await once(again, options);
    expectSameRun(again, expected, "a second run");
    for (let at = first; at <= changes; at += STRIDE) {
      const out = place("killed");
      const { result } = await crashingAt(at, out, () => once(out, options));
      expect(result, `dies at change ${at}`).toBeUndefined();
      buryHolder(out);
      if (at % 4 === 1) {
        // A resumed run dies as well.
        await crashingAt(1 + (at % 25), out, () => once(out, options));
        buryHolder(out);
      }
      const isFinished = runFolder(out).state() === "finished";
      await once(out, options);
      const locks = readdirSync(out).filter((name) => name.startsWith(".lock"));
      // Going on with a finished run changes nothing, not even what its last process left.
      if (!isFinished) expect(locks, `after dying at change ${at}`).toEqual([]);
      expectSameRun(out, expected, `after dying at change ${at} of ${changes}`);
    }
  }, 300_000);
});
