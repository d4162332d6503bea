import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { contentsOf, expectSameRun } from "../../../test/support/run-contents.ts";
import { smallBackbone } from "../../../test/support/small-backbone.ts";
import { binaryCrossEntropy, sgd, trainingGraph } from "../../autodiff/index.ts";
import { loadClassifier } from "../../classifier/index.node.ts";
import { AUGMENTATIONS } from "../../datasets/index.ts";
import { layersOf } from "../../models/index.ts";
import { blockedChannels, openSession, writeModelFile } from "../../onnx/index.node.ts";
import {
  float32,
  graphBuilder,
  modelOf,
  operators as op,
  readModel,
  tensorBytes,
  type Value,
} from "../../onnx/index.ts";
import { loadBest } from "../checkpoint.ts";
import { inferenceForward, trainingForward } from "../compose.ts";
import type { TrainContext } from "../context.ts";
import type { TrainEvent } from "../events.ts";
import type { TrainOptions } from "../options.ts";
import { runFolder } from "../run-folder.ts";
import { train } from "../train.ts";
import { openTrainer } from "../trainer.ts";
import { readHead } from "./head-record.ts";
import { fineTuning, transferNetwork } from "./network.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });
const SIZE = 24;
const backbone = smallBackbone(SIZE);

const TINY: TrainOptions = {
  size: SIZE,
  batch: 8,
  epochs: 2,
  headEpochs: 4,
  unfreeze: 1,
  threads: 1,
  valFraction: 0.2,
};

const run = (out: string, options: TrainOptions = {}, context: Partial<TrainContext> = {}) =>
  train(films, { ...TINY, ...options }, { out, cacheFolder, backbone, ...context });

const filmIn = (label: string) => join(films, label, readdirSync(join(films, label))[0]!);

const graphOf = (out: string) => readModel(readFileSync(runFolder(out).file("model"))).graph;

describe("a run on a pretrained backbone", () => {
  it("finds the head first, then trains the blocks asked for, and leaves all others as they were", async () => {
    const out = place("stages");
    const events: TrainEvent[] = [];
    const result = await run(out, { lr: 0.01 }, { onEvent: (event) => events.push(event) });
    const kinds = [...new Set(events.map(({ kind }) => kind))];
    expect(kinds.indexOf("features")).toBeLessThan(kinds.indexOf("headEpoch"));
    expect(kinds.indexOf("head")).toBeLessThan(kinds.indexOf("epoch"));
    expect(result).toMatchObject({ epochs: 2 });
    const trained = graphOf(out).initializers;
    const changed = [...backbone.graph.initializers.keys()].filter((name) => {
      const [before, after] = [backbone.graph.initializers.get(name), trained.get(name)];
      return before && after && !Buffer.from(tensorBytes(before)).equals(tensorBytes(after));
    });
    const block = ["blocks.1.conv.weight", "blocks.1.norm.scale", "blocks.1.norm.bias"];
    // The stem has one channel instead of three.
    expect(changed).toEqual(
      result.bestEpoch === 0 ? ["stem.conv.weight"] : ["stem.conv.weight", ...block],
    );
  });

  it("begins fine-tuning at the head that it found, and keeps that where nothing is better", async () => {
    const out = place("begun");
    const { bestEpoch, metrics } = await run(out, { lr: 1e-12, epochs: 1 });
    const head = readHead(runFolder(out))!.tensors;
    expect(bestEpoch).toBe(0);
    const best = loadBest(runFolder(out));
    for (const name of ["head.weight", "head.bias"])
      expect(Buffer.from(tensorBytes(best.get(name)!))).toEqual(
        Buffer.from(tensorBytes(head.get(name)!)),
      );
    const values = readHead(runFolder(out))!.history.map((record) => record.metrics.auroc!);
    expect(metrics.auroc).toBeCloseTo(Math.max(...values), 6);
  });

  it("trains the head alone with no epoch, and the model holds it", async () => {
    const out = place("head");
    const result = await run(out, { epochs: 0 });
    expect(result).toMatchObject({ bestEpoch: 0, epochs: 0 });
    const { initializers } = graphOf(out);
    const head = readHead(runFolder(out))!.tensors;
    expect(Buffer.from(tensorBytes(initializers.get("head.weight")!))).toEqual(
      Buffer.from(tensorBytes(head.get("head.weight")!)),
    );
    await using classifier = await loadClassifier(out);
    const [reading] = await classifier.read([filmIn("PNEUMONIA")]);
    expect(reading!.error).toBeUndefined();
    expect(existsSync(runFolder(out).file("curvesPicture"))).toBe(true);
  });

  it("repeats itself bit for bit, and takes up what a stopped one left", async () => {
    const [whole, again] = [place("whole"), place("again")];
    const options: TrainOptions = { featurePasses: 2, augmentation: "light", balance: "sampling" };
    await run(whole, options);
    await run(again, options, { cacheFolder: join(cacheFolder, "other") });
    expectSameRun(again, contentsOf(whole), "a second run");
    for (const kind of ["features", "headEpoch", "head", "epochStarted", "epoch"] as const) {
      const out = place("stopped");
      const stop = new AbortController();
      const onEvent = (event: TrainEvent) => event.kind === kind && stop.abort();
      const own = { onEvent, signal: stop.signal, cacheFolder: join(cacheFolder, `own-${kind}`) };
      const error = await rejection(run(out, options, own));
      expect(error, kind).toMatchObject({ code: "interrupted" });
      expect(error.message).toMatch(/Go on with the same command and --resume\.$/);
      await run(out, options, { isResumed: true });
      expectSameRun(out, contentsOf(whole), kind);
    }
  });

  it("computes no feature twice: another fold, seed or head finds them", async () => {
    const own = join(cacheFolder, "features");
    const packs = () =>
      readdirSync(own, { recursive: true, encoding: "utf8" })
        .filter((name) => name.startsWith("features-") && name.endsWith(".pack"))
        .map((name) => [name, statSync(join(own, name)).ino]);
    await run(place("first"), { epochs: 0 }, { cacheFolder: own });
    const before = packs();
    expect(before.length).toBeGreaterThan(0);
    await run(place("other"), { epochs: 0, seed: 7, headLr: 0.1 }, { cacheFolder: own });
    await run(place("fold"), { epochs: 0, folds: 3, fold: 2 }, { cacheFolder: own });
    expect(packs()).toEqual(before);
    // Other features: of another size, of another backbone, of augmented films.
    await run(
      place("moved"),
      { epochs: 0 },
      { cacheFolder: own, backbone: smallBackbone(SIZE, 6) },
    );
    const more = packs().length;
    expect(more).toBeGreaterThan(before.length);
    await run(place("drawn"), { epochs: 0, featurePasses: 1 }, { cacheFolder: own });
    expect(packs().length).toBeGreaterThan(more);
  });
});

describe("a run on an ONNX file", () => {
  const file = join(place("onnx"), "secret-name.onnx");
  mkdirSync(dirname(file), { recursive: true });
  const builder = graphBuilder(backbone.graph);
  const y = op.flatten(op.globalAveragePool(builder.find("features")!));
  const old = layersOf(2).dense(y, "classifier", 10);
  builder.output(old, "logits");
  writeModelFile(file, modelOf(builder.build("exported")));
  const started = (out: string, options: TrainOptions = {}) =>
    train(
      films,
      { ...TINY, epochs: 1, model: file, ...options },
      { out, cacheFolder, isResumed: true },
    );

  it("cuts its old head off, trains a new one and the blocks below, and names no path in the model", async () => {
    const out = place("file");
    await started(out);
    const config = runFolder(out).config();
    expect(config).toMatchObject({ weights: file, settings: { model: "onnx", size: SIZE } });
    expect(config.settings.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    const bytes = readFileSync(runFolder(out).file("model"));
    expect(bytes.includes("secret-name")).toBe(false);
    expect(bytes.includes(config.settings.weightsSha256!)).toBe(true);
    expect([...graphOf(out).initializers.keys()]).not.toContain("classifier.weight");
    // The same file elsewhere goes on with the run; another one does not.
    const moved = join(dirname(file), "moved.onnx");
    writeFileSync(moved, readFileSync(file));
    await started(out, { model: moved });
    const other = join(dirname(file), "other.onnx");
    writeModelFile(other, modelOf({ ...builder.build("exported"), name: "other" }));
    const error = await rejection(started(out, { model: other }));
    expect(error).toMatchObject({
      code: "settings-changed",
      details: { option: "weightsSha256" },
    });
  });
});

describe("fine-tuning", () => {
  const task = {
    kind: "classes",
    classes: ["NORMAL", "PNEUMONIA"],
    positive: 1,
  } as const;
  const settings = {
    normalization: "standardize",
    seed: 3,
    epochs: 1,
    headDropout: 0.2,
  } as const;
  const transfer = transferNetwork(backbone, settings);
  const parts = {
    network: (x: Value, outputs: number) =>
      layersOf(3).dense(transfer.features(x), "head", outputs),
    logits: 1,
    size: SIZE,
    normalization: "standardize",
  } as const;

  it.each(["all", 2, 1, 0] as const)(
    "sees in training what validation sees, with %s blocks unfrozen",
    async (unfreeze) => {
      const tuning = fineTuning(transfer.blocks, { ...settings, unfreeze, layerDecay: 0.5 });
      const forward = trainingForward({
        ...parts,
        batch: 4,
        augmentation: AUGMENTATIONS.none,
        loss: binaryCrossEntropy(),
      });
      for (const block of new Set([0, await blockedChannels()])) {
        const training = trainingGraph(forward, {
          optimizer: sgd(),
          trainable: tuning.isTrainable,
          rateOf: tuning.rateOf,
          keepsStatistics: () => true,
          block,
        });
        expect(training.state.filter(({ kind }) => kind === "statistic")).toEqual([]);
        const data = Uint8Array.from({ length: 4 * SIZE * SIZE }, (_, i) => (i * i * 7) % 251);
        const images = { type: "uint8", dims: [4, SIZE, SIZE], data } as const;
        const ones = float32([4, 1], [1, 1, 1, 1]);
        const trainer = await openTrainer(training, { threads: 1 });
        const controls = { learningRate: 0.1, step: 1, noiseSeed: 1 };
        const feeds = { images, targets: ones, weights: ones };
        // After a step, so that what trains is no longer what it was.
        await trainer.step(feeds, controls);
        const state = Object.fromEntries(
          [...trainer.state()].map(([name, { data, ...rest }]) => [
            name,
            { ...rest, data: data.slice() },
          ]),
        );
        const { logits } = await trainer.step(feeds, controls);
        const inputs = new Set(Object.keys(state));
        const session = await openSession(inferenceForward({ ...parts, task, inputs }));
        const { probabilities } = await session.run({ images, ...state });
        const expected = Array.from(logits!.data, Number).map((x) => 1 / (1 + Math.exp(-x)));
        const positive = Array.from(probabilities!.data, Number).filter((_, i) => i % 2 === 1);
        const dims = [4];
        expectClose({ dims, data: positive }, { dims, data: expected }, { ofLargest: 2e-6 }, "p");
        await session.close();
        await trainer.close();
      }
    },
  );

  it("slows from the head down, block by block, and refuses more blocks than there are", () => {
    const of = (unfreeze: number | "all") =>
      fineTuning(transfer.blocks, { ...settings, unfreeze, layerDecay: 0.5 });
    expect(of(2).rateOf("head.weight")).toBe(1);
    expect(of(2).rateOf("blocks.1.norm.scale")).toBe(0.5);
    expect(of(2).rateOf("blocks.0.conv.weight")).toBe(0.25);
    expect(of(2).isTrainable("stem.conv.weight")).toBe(false);
    expect(of("all").rateOf("stem.conv.weight")).toBe(0.125);
    expect(() => of(4)).toThrow(/the backbone has 3 blocks/);
  });
});
