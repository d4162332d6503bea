import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import { float32, graphBuilder, operators as op, type Tensor } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { openTrainer } from "../training/trainer.ts";
import { sgd } from "./optimizers/sgd.ts";
import { type TrainingGraph, trainingGraph } from "./training-graph.ts";

const random = randomStream(3, "training-forward");
const drawn = (dims: readonly number[]): Tensor =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal() + 0.3),
  );

describe("dropout in training", () => {
  const RATIO = 0.25;
  const dims = [40, 50];

  /** y = dropout(w), loss = sum(y): the gradient of w is the mask itself. */
  function dropping(): TrainingGraph {
    const builder = graphBuilder();
    const w = builder.parameter("w", drawn(dims));
    const [first, second] = [op.dropout(w, RATIO), op.dropout(op.neg(w), RATIO)];
    builder.output(first, "first");
    builder.output(second, "second");
    builder.output(op.reduceSum(op.add(first, second), { keepsDims: false }), "loss");
    return trainingGraph(builder.build(), { optimizer: sgd() });
  }

  async function run(noiseSeed: number) {
    const training = dropping();
    const trainer = await openTrainer(training, { threads: 1 });
    const results = await trainer.step({}, { noiseSeed, learningRate: 1, step: 1 });
    const numbers = (value: Tensor | undefined) => Array.from(value!.data, Number);
    const after = numbers(trainer.state().get("w"));
    await trainer.close();
    const before = numbers(training.state.find(({ name }) => name === "w")!.initial);
    return {
      before,
      first: numbers(results.first),
      second: numbers(results.second),
      gradient: before.map((value, i) => value - after[i]!),
    };
  }

  it("drops the stated share and scales the rest, so that the mean stays", async () => {
    const { before, first } = await run(1);
    const dropped = first.filter((value) => value === 0).length / first.length;
    expect(Math.abs(dropped - RATIO)).toBeLessThan(5 * Math.sqrt((RATIO * 0.75) / first.length));
    first.forEach((value, i) => {
      if (value !== 0) expect(value).toBeCloseTo(before[i]! / 0.75, 5);
    });
  });

  it("sends the gradient through the masks of the forward pass", async () => {
    const { first, second, gradient } = await run(2);
    first.forEach((value, i) => {
      const slope = (value === 0 ? 0 : 1) - (second[i] === 0 ? 0 : 1);
      expect(gradient[i]).toBeCloseTo(slope / 0.75, 4);
    });
  });

  it("differs between places and between seeds, and repeats for the same seed", async () => {
    const [one, again, other] = [await run(3), await run(3), await run(4)];
    const mask = (values: readonly number[]) => values.map((value) => Number(value === 0)).join("");
    expect(mask(again.first)).toBe(mask(one.first));
    expect(mask(other.first)).not.toBe(mask(one.first));
    expect(mask(one.second)).not.toBe(mask(one.first));
  });
});

describe("batch norm in training", () => {
  const dims = [6, 2, 3, 3];
  const batches = [drawn(dims), drawn(dims), drawn(dims)];
  const MOMENTUM = 0.7;

  function normalizing(
    trainable: (name: string) => boolean,
    momentum = MOMENTUM,
    keepsStatistics?: (scale: string) => boolean,
  ): TrainingGraph {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", dims);
    const parameter = (name: string, values: readonly number[]) =>
      builder.parameter(name, float32([2], values));
    const y = op.batchNormalization(
      op.mul(x, builder.parameter("gain", float32([], [1]))),
      {
        scale: parameter("scale", [1.5, 0.5]),
        bias: parameter("bias", [0.1, -0.2]),
        mean: parameter("mean", [0.4, -0.1]),
        variance: parameter("variance", [2, 0.5]),
      },
      { momentum },
    );
    builder.output(y, "y");
    builder.output(op.reduceMean(y, { keepsDims: false }), "loss");
    return trainingGraph(builder.build(), { optimizer: sgd(), trainable, keepsStatistics });
  }

  /** Values of channel c. */
  const channel = ({ data }: Tensor, c: number): number[] =>
    Array.from(data, Number).filter((_, i) => Math.floor(i / 9) % 2 === c);
  const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const varianceOf = (values: readonly number[]) =>
    meanOf(values.map((value) => (value - meanOf(values)) ** 2));

  it("keeps nothing of the running statistics with momentum 0", async () => {
    const training = normalizing(() => true, 0);
    const trainer = await openTrainer(training, { threads: 1 });
    const [x] = batches;
    await trainer.step({ x: x! }, { learningRate: 0, step: 1 });
    const expected = [0, 1].map((c) => varianceOf(channel(x!, c)));
    const actual = trainer.state().get("variance")!;
    expectClose(actual, { dims: [2], data: expected }, { relative: 2e-6 }, "variance");
    await trainer.close();
  });

  it("normalizes by the batch and blends its statistics into the running ones", async () => {
    const training = normalizing(() => true);
    const trainer = await openTrainer(training, { threads: 1 });
    const running = { mean: [0.4, -0.1], variance: [2, 0.5] };
    for (const [index, x] of batches.entries()) {
      const { y } = await trainer.step({ x }, { learningRate: 0, step: index + 1 });
      for (const c of [0, 1]) {
        const values = channel(x, c);
        const blend = (old: number, fresh: number) => MOMENTUM * old + (1 - MOMENTUM) * fresh;
        running.mean[c] = blend(running.mean[c]!, meanOf(values));
        running.variance[c] = blend(running.variance[c]!, varianceOf(values));
        expect(meanOf(channel(y!, c))).toBeCloseTo([0.1, -0.2][c]!, 5);
        expect(varianceOf(channel(y!, c))).toBeCloseTo([2.25, 0.25][c]!, 3);
      }
    }
    for (const name of ["mean", "variance"] as const)
      expectClose(
        trainer.state().get(name)!,
        { dims: [2], data: running[name] },
        { relative: 2e-6 },
        name,
      );
    await trainer.close();
    expect(
      training.state.filter(({ kind }) => kind === "statistic").map(({ name }) => name),
    ).toEqual(["mean", "variance"]);
  });

  it("keeps its statistics and uses them where its scale is frozen", async () => {
    const training = normalizing((name) => name === "gain");
    const trainer = await openTrainer(training, { threads: 1 });
    const { y } = await trainer.step({ x: batches[0]! }, { learningRate: 0, step: 1 });
    await trainer.close();
    expect(training.state.map(({ name }) => name)).toEqual(["gain"]);
    const expected = channel(batches[0]!, 0).map(
      (value) => ((value - 0.4) / Math.sqrt(2 + 1e-5)) * 1.5 + 0.1,
    );
    const dims = [expected.length];
    expectClose({ dims, data: channel(y!, 0) }, { dims, data: expected }, { ofLargest: 1e-6 }, "y");
  });

  it("keeps its statistics where it is told to, while scale and bias train by them", async () => {
    const asked: string[] = [];
    const training = normalizing(
      () => true,
      MOMENTUM,
      (scale) => asked.push(scale) > 0,
    );
    const trainer = await openTrainer(training, { threads: 1 });
    const { y } = await trainer.step({ x: batches[0]! }, { learningRate: 1, step: 1 });
    const after = trainer.state();
    await trainer.close();
    expect(new Set(asked)).toEqual(new Set(["scale"]));
    expect([...after.keys()]).toEqual(["gain", "scale", "bias"]);
    const normalized = channel(batches[0]!, 0).map((value) => (value - 0.4) / Math.sqrt(2 + 1e-5));
    const expected = normalized.map((value) => value * 1.5 + 0.1);
    const dims = [expected.length];
    expectClose({ dims, data: channel(y!, 0) }, { dims, data: expected }, { ofLargest: 1e-6 }, "y");
    // The loss is the mean over both channels.
    expect(after.get("scale")!.data[0]).toBeCloseTo(1.5 - meanOf(normalized) / 2, 5);
    expect(after.get("bias")!.data[0]).toBeCloseTo(0.1 - 0.5, 5);
  });
});
