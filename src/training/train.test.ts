import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { rejection } from "../../test/support/rejection.ts";
import { contentsOf, expectSameRun } from "../../test/support/run-contents.ts";
import type { Network } from "../models/index.ts";
import { operators as op, readModel, tensorBytes } from "../onnx/index.ts";
import type { EpochRecord } from "./checkpoint.ts";
import { loadBest, loadLast } from "./checkpoint.ts";
import type { TrainContext } from "./context.ts";
import type { TrainEvent } from "./events.ts";
import type { TrainOptions } from "./options.ts";
import { runFolder } from "./run-folder.ts";
import { train } from "./train.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });

const TINY: TrainOptions = {
  model: "cnn",
  width: 0.1,
  size: 16,
  batch: 8,
  epochs: 2,
  threads: 1,
  valFraction: 0.2,
};

const run = (out: string, options: TrainOptions = {}, context: Partial<TrainContext> = {}) =>
  train(films, { ...TINY, ...options }, { out, cacheFolder, ...context });

const historyOf = (out: string): EpochRecord[] =>
  readFileSync(runFolder(out).file("history"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as EpochRecord);

/** A metric that has these values, one an epoch, then the last one again and again. */
function scripted(...values: (number | null)[]) {
  let epoch = 0;
  return { metrics: { own: () => values[Math.min(epoch++, values.length - 1)]! } };
}

/** Bytes and times of everything in the folder. */
function tracesOf(out: string): object {
  const names = readdirSync(out, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => {
    const { mtimeMs, ctimeMs, ino } = statSync(join(out, name));
    return [name, mtimeMs, ctimeMs, ino];
  });
}

describe("a finished run", () => {
  const out = place("finished");
  const began = run(out);

  it("is resumed to nothing: same result, no file touched", async () => {
    const result = await began;
    const before = tracesOf(out);
    expect(await run(out, {}, { isResumed: true, hasPreview: true })).toEqual(result);
    expect(tracesOf(out)).toEqual(before);
  });

  it("is refused without resuming", async () => {
    await began;
    const before = tracesOf(out);
    expect(await rejection(run(out))).toMatchObject({ code: "run-exists", kind: "conflict" });
    expect(tracesOf(out)).toEqual(before);
  });

  it.each<TrainOptions>([{ epochs: 3 }, { seed: 2 }, { model: "dense" }, { threads: 2 }])(
    "is refused by name with %o",
    async (options) => {
      await began;
      const error = await rejection(run(out, options, { isResumed: true }));
      const [option] = Object.keys(options);
      expect(error).toMatchObject({ code: "settings-changed", details: { option } });
      expect(error.message).toContain(`${option} = `);
    },
  );
});

describe("a stopped run", () => {
  /** Stops at the event for which `isTime` holds. */
  const stopping = (isTime: (event: TrainEvent) => boolean) => {
    const controller = new AbortController();
    const onEvent = (event: TrainEvent) => {
      if (isTime(event)) controller.abort();
    };
    return { signal: controller.signal, onEvent };
  };

  it.each<[string, (event: TrainEvent) => boolean, string]>([
    ["in an epoch", (e) => e.kind === "step" && e.step === 1, "in epoch 1 after step 1"],
    ["before validation", (e) => e.kind === "step" && e.step === 2, "in epoch 1 after step 2"],
    ["after validation", (e) => e.kind === "epoch", "after epoch 1"],
  ])("%s says where and how to go on, and goes on to the same bits", async (_, isTime, where) => {
    const [whole, out] = [place("whole"), place("stopped")];
    const error = await rejection(run(out, {}, stopping(isTime)));
    expect(error).toMatchObject({ code: "interrupted", kind: "interrupted" });
    expect(error.message).toBe(
      `Stopped ${where}; everything is saved. Go on with the same command and --resume.`,
    );
    await run(out, {}, { isResumed: true });
    await run(whole);
    expectSameRun(out, contentsOf(whole), where);
  });

  it("is refused by name with other settings", async () => {
    const out = place("stopped");
    await rejection(
      run(
        out,
        {},
        stopping(({ kind }) => kind === "step"),
      ),
    );
    const error = await rejection(run(out, { batch: 4 }, { isResumed: true }));
    expect(error).toMatchObject({ code: "settings-changed", details: { option: "batch" } });
  });

  it("is refused by the film's name when one is gone, and goes on when it is back", async () => {
    const out = place("stopped");
    await rejection(
      run(
        out,
        {},
        stopping(({ kind }) => kind === "step"),
      ),
    );
    const name = `NORMAL/${readdirSync(join(films, "NORMAL"))[0]}`;
    renameSync(join(films, name), join(films, "gone"));
    const before = contentsOf(out);
    const error = await rejection(run(out, {}, { isResumed: true }));
    renameSync(join(films, "gone"), join(films, name));
    expect(error).toMatchObject({ code: "data-changed", kind: "conflict" });
    expect(error.message).toContain(`${name} can be read no longer`);
    expect(contentsOf(out)).toEqual(before);
    expect(await run(out, {}, { isResumed: true })).toMatchObject({ epochs: 2 });
  });
});

describe("a run's folder", () => {
  it("is refused among the films of classes, where it would be one", async () => {
    for (const below of ["run", "NORMAL/run", ""]) {
      const error = await rejection(run(join(films, below), {}, { isResumed: true }));
      expect(["invalid-option", "run-exists"]).toContain(error.code);
      expect(error.message).toMatch(
        /Choose (an --out elsewhere|a new or empty folder as --out)\.$/,
      );
    }
    expect(readdirSync(films).sort()).toEqual(["NORMAL", "PNEUMONIA"]);
  });

  it("that is removed meanwhile stops the run by its name", async () => {
    const out = place("removed");
    const onEvent = ({ kind }: TrainEvent) => {
      if (kind === "epochStarted") rmSync(out, { recursive: true });
    };
    const error = await rejection(run(out, {}, { onEvent }));
    expect(error).toMatchObject({ code: "run-damaged", details: { path: out } });
    expect(existsSync(out)).toBe(false);
  });
});

describe("a run whose films vanish from the cache", () => {
  it("stops with what to do and an intact checkpoint, and goes on to the same bits", async () => {
    const [whole, out, own] = [place("whole"), place("robbed"), place("own-cache")];
    const rob = (event: TrainEvent) => {
      if (event.kind !== "epoch") return;
      for (const name of readdirSync(own, { recursive: true, encoding: "utf8" }))
        if (name.endsWith(".pack")) truncateSync(join(own, name), 10);
    };
    const error = await rejection(run(out, {}, { cacheFolder: own, onEvent: rob }));
    expect(error).toMatchObject({ code: "cache-damaged" });
    expect(error.message).toMatch(/lost the film of .* Run again/);
    expect(loadLast(runFolder(out))!.progress.epoch).toBe(1);
    await run(out, {}, { cacheFolder: own, isResumed: true });
    await run(whole);
    expectSameRun(out, contentsOf(whole), "resumed");
  });
});

describe("a run that leaves the numbers", () => {
  const WILD: TrainOptions = {
    optimizer: "sgd",
    lr: 1000,
    clipNorm: null,
    warmup: 4,
    epochs: 8,
    augmentation: "none",
  };
  const bytesOf = (out: string) =>
    (["last", "best", "history"] as const).map((name) => runFolder(out).read(name));

  it("says where and what to try, and leaves the last and the best checkpoint", async () => {
    const out = place("wild");
    let before: ReturnType<typeof bytesOf> = [];
    const onEvent = ({ kind }: TrainEvent) => {
      if (kind === "checkpoint") before = bytesOf(out);
    };
    const error = await rejection(run(out, WILD, { onEvent }));
    expect(error).toMatchObject({ code: "training-diverged", details: { run: out } });
    expect(error.message).toMatch(
      /^The loss is \S+ \(gradient norm \S+\) in epoch \d+, step \d+, at a learning rate of \S+\. Try --clip-norm 1, a third of the rate \(--lr 300\) .* The last checkpoint is intact: /,
    );
    expect(before[1]).toBeDefined();
    expect(bytesOf(out)).toEqual(before);
    expect(allFinite(loadBest(runFolder(out)))).toBe(true);
    // Going on repeats it, and takes nothing away.
    await rejection(run(out, WILD, { isResumed: true }));
    expect(bytesOf(out)).toEqual(before);
  });

  it("says that there is no checkpoint where it never was one", async () => {
    const error = await rejection(run(place("wild"), { ...WILD, warmup: 0, batch: 2 }));
    expect(error.message).toMatch(/No checkpoint was written yet\.$/);
  });

  /** Its logits hardly feel its weights, which the decay multiplies by -9999 in each step. */
  const numb: Network = (x, outputs) => {
    const y = op.flatten(op.mul(op.averagePool(x, { kernel: [8, 8] }), x.builder.scalar(1e-12)));
    const w = x.builder.parameter("w", {
      type: "float32",
      dims: [Number(y.shape[1]), outputs],
      data: new Float32Array(Number(y.shape[1]) * outputs).fill(1),
    });
    return op.matMul(y, w);
  };

  it("saves no weight that is no number, though loss and gradient still are", async () => {
    const out = place("numb");
    const { model, width, ...rest } = TINY;
    const options = { ...rest, ...WILD, weightDecay: 10, momentum: 0, warmup: 0 };
    const context = { out, cacheFolder, network: numb, checkpointMs: 0 };
    const error = await rejection(train(films, { ...options, schedule: "constant" }, context));
    expect(error.message).toMatch(/^w is not finite in epoch 5, step 2, /);
    const { state, progress } = loadLast(runFolder(out))!;
    expect([progress.epoch, progress.step]).toEqual([4, 1]);
    expect(allFinite(state)).toBe(true);
  });

  const allFinite = (tensors: ReturnType<typeof loadBest>) =>
    [...tensors.values()].every(({ data }) => Array.from(data, Number).every(Number.isFinite));
});

describe("the best epoch", () => {
  it("is the one in which the metric was highest, the first of equals, and its weights are exported", async () => {
    const out = place("best");
    const kept: Uint8Array[] = [];
    const onEvent = (event: TrainEvent) => {
      if (event.kind === "epoch") kept.push(runFolder(out).read("best")!);
    };
    const options = { metric: "own", epochs: 4 };
    const result = await run(out, options, { ...scripted(null, 0.5, 0.75, 0.75), onEvent });
    expect(result.bestEpoch).toBe(3);
    expect(kept.map((bytes, i) => i > 0 && Buffer.compare(bytes, kept[i - 1]!) === 0)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    const exported = readModel(readFileSync(result.model)).graph.initializers;
    for (const [name, tensor] of loadBest(runFolder(out)))
      expect(Buffer.from(tensorBytes(exported.get(name)!)), name).toEqual(
        Buffer.from(tensorBytes(tensor)),
      );
  });

  it("is the one in which a loss was lowest", async () => {
    const out = place("lowest");
    const { bestEpoch } = await run(out, { metric: "logLoss", epochs: 4, lr: 0.05 });
    const losses = historyOf(out).map(({ metrics }) => metrics.logLoss!);
    expect(bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    expect(new Set(losses).size).toBe(4);
  });

  it("is awaited for as many epochs as patience says", async () => {
    const metric = { metric: "own", epochs: 9, patience: 2 };
    const result = await run(place("patient"), metric, scripted(0.5, 0.4, 0.6, 0.6, 0.1, 0.9));
    expect(result).toMatchObject({ bestEpoch: 3, epochs: 5 });
  });
});

describe("the learning rate", () => {
  const ratesOf = async (options: TrainOptions, context: Partial<TrainContext> = {}) => {
    const out = place("rates");
    await run(out, { epochs: 6, warmup: 0, lr: 0.001, ...options }, context);
    return historyOf(out).map(({ learningRate }) => Number((learningRate / 0.001).toPrecision(4)));
  };

  it("is recorded as the schedule has it at each epoch's end", async () => {
    expect(await ratesOf({ schedule: "constant" })).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await ratesOf({ schedule: "step", epochs: 4 })).toEqual([1, 0.1, 0.1, 0.01]);
    expect(await ratesOf({ schedule: "cosine", epochs: 2 })).toEqual([0.505, 0.01]);
    expect(await ratesOf({ schedule: "constant", epochs: 2, warmup: 1 })).toEqual([1, 1]);
  });

  it("falls to a third whenever the metric stood still for three epochs", async () => {
    const options: TrainOptions = { schedule: "plateau", metric: "own", epochs: 8 };
    expect(await ratesOf(options, scripted(0.1, 0.2, 0.2, 0.1, 0.2, 0.3, 0.1, 0.1))).toEqual([
      1, 1, 1, 1, 1, 0.3333, 0.3333, 0.3333,
    ]);
  });
});

describe("progress", () => {
  it("tells loss, metric, images per second and the time that is left", async () => {
    const events: TrainEvent[] = [];
    await run(place("told"), {}, { onEvent: (event) => events.push(event) });
    const steps = events.filter((event) => event.kind === "step");
    expect(steps.map(({ epoch, step, steps: all }) => [epoch, step, all])).toEqual([
      [1, 1, 2],
      [1, 2, 2],
      [2, 1, 2],
      [2, 2, 2],
    ]);
    const records = events.flatMap((event) => (event.kind === "epoch" ? [event.record] : []));
    expect(steps.map(({ metric }) => metric)).toEqual(
      [null, null, records[0]!.metrics.auroc, records[0]!.metrics.auroc].map((value) => ({
        name: "auroc",
        value,
      })),
    );
    for (const { loss, imagesPerSecond, secondsLeft } of steps) {
      expect(loss).toBeGreaterThan(0);
      expect(imagesPerSecond).toBeGreaterThan(0);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
    }
    expect(steps[1]!.loss).toBe(records[0]!.loss);
  });
});
