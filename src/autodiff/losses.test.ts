import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import { openSession } from "../onnx/index.node.ts";
import { float32, graphBuilder } from "../onnx/index.ts";
import { appendGradients } from "./gradient.ts";
import { binaryCrossEntropy, focal, type Loss, softmaxCrossEntropy } from "./losses.ts";

type Rows = readonly (readonly number[])[];

const LOGITS: Rows = [
  [0.3, -1.2, 2.1],
  [-0.7, 0.1, 0.9],
  [1.6, -2.4, -0.2],
  [0, 3.1, -1.1],
];
const BITS: Rows = [
  [1, 0, 1],
  [0, 0, 1],
  [0, 1, 0],
  [1, 1, 0],
];
/** Zeros mask a label; the others are class weights. */
const WEIGHTS: Rows = [
  [1, 2, 0],
  [1, 0, 0.5],
  [3, 2, 1],
  [0, 0, 1],
];
const ONES: Rows = LOGITS.map((row) => row.map(() => 1));
const ONE_HOT: Rows = [
  [0, 0, 1],
  [1, 0, 0],
  [0, 1, 0],
  [1, 0, 0],
];

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** The loss and its gradient by the logits, computed by ONNX Runtime. */
async function computed(loss: Loss, logits: Rows, targets: Rows, weights: Rows) {
  const builder = graphBuilder();
  const dims = [logits.length, logits[0]!.length];
  const input = (name: string) => builder.input(name, "float32", dims);
  const operands = {
    logits: input("logits"),
    targets: input("targets"),
    weights: input("weights"),
  };
  const value = loss(operands);
  const [gradient] = appendGradients(value, [operands.logits]);
  builder.output(value, "loss");
  builder.output(gradient!, "gradient");
  expect(value.shape).toEqual([]);
  const session = await openSession(builder.build(), { threads: 1 });
  const feeds = { logits, targets, weights };
  const results = await session.run(
    Object.fromEntries(
      Object.entries(feeds).map(([name, rows]) => [name, float32(dims, rows.flat())]),
    ),
  );
  await session.close();
  return { loss: results.loss!, gradient: results.gradient! };
}

/** Checks against the weighted mean of `term(row, column)` and its derivatives by differences. */
async function check(
  loss: Loss,
  total: (logits: Rows) => number,
  { logits = LOGITS, targets, weights }: { logits?: Rows; targets: Rows; weights: Rows },
): Promise<void> {
  const actual = await computed(loss, logits, targets, weights);
  const want = { dims: [], data: [total(logits)] };
  expectClose(actual.loss, want, { relative: 2e-6, absolute: 1e-7 }, "loss");
  const step = 1e-5;
  const slopes = logits.flatMap((row, n) =>
    row.map((_, k) => {
      const shifted = (by: number) =>
        logits.map((other, i) => other.map((z, j) => (i === n && j === k ? z + by : z)));
      return (total(shifted(step)) - total(shifted(-step))) / (2 * step);
    }),
  );
  const dims = [logits.length, logits[0]!.length];
  expectClose(
    actual.gradient,
    { dims, data: slopes },
    { ofLargest: 2e-6, absolute: 1e-9 },
    "slope",
  );
}

/** sum(w l) / sum(w) over all labels. */
const weightedMean =
  (weights: Rows, term: (z: number, n: number, k: number) => number) =>
  (logits: Rows): number => {
    const sum = (pick: (n: number, k: number) => number) =>
      weights.reduce((all, row, n) => all + row.reduce((part, _, k) => part + pick(n, k), 0), 0);
    return (
      sum((n, k) => weights[n]![k]! * term(logits[n]![k]!, n, k)) / sum((n, k) => weights[n]![k]!)
    );
  };

const entropy = (z: number, t: number): number =>
  -(t * Math.log(sigmoid(z)) + (1 - t) * Math.log(1 - sigmoid(z)));

describe("binaryCrossEntropy", () => {
  it.each([
    ["of all labels", ONES],
    ["with weights and masked labels", WEIGHTS],
  ])("is the mean of -(t log p + (1 - t) log(1 - p)) %s", async (_, weights) => {
    const total = weightedMean(weights, (z, n, k) => entropy(z, BITS[n]![k]!));
    await check(binaryCrossEntropy(), total, { targets: BITS, weights });
  });

  it("moves targets towards a half by the smoothing", async () => {
    const total = weightedMean(WEIGHTS, (z, n, k) => entropy(z, 0.8 * BITS[n]![k]! + 0.1));
    await check(binaryCrossEntropy({ labelSmoothing: 0.2 }), total, {
      targets: BITS,
      weights: WEIGHTS,
    });
  });

  it("takes mixed targets", async () => {
    const mixed = BITS.map((row, n) => row.map((bit, k) => 0.7 * bit + 0.05 * (n + k)));
    const total = weightedMean(ONES, (z, n, k) => entropy(z, mixed[n]![k]!));
    await check(binaryCrossEntropy(), total, { targets: mixed, weights: ONES });
  });

  it("stays finite where the sigmoid saturates", async () => {
    const actual = await computed(binaryCrossEntropy(), [[200], [-200]], [[0], [0]], [[1], [1]]);
    expect(Array.from(actual.loss.data, Number)).toEqual([100]);
    expect(Array.from(actual.gradient.data, Number)).toEqual([0.5, 0]);
  });

  it("is zero with a zero gradient where every label is masked, whatever the targets", async () => {
    const none = ONES.map((row) => row.map(() => 0));
    const actual = await computed(binaryCrossEntropy(), LOGITS, BITS, none);
    expect(Array.from(actual.loss.data, Number)).toEqual([0]);
    expect(Array.from(actual.gradient.data, Number).every((slope) => slope === 0)).toBe(true);
  });
});

describe("focal", () => {
  const focused = (gamma: number) => (z: number, t: number) => {
    const p = sigmoid(z);
    return (1 - (p * t + (1 - p) * (1 - t))) ** gamma * entropy(z, t);
  };

  it.each([2, 1, 0.5, 3])("scales the entropy by (1 - p_t)^%d", async (gamma) => {
    const total = weightedMean(WEIGHTS, (z, n, k) => focused(gamma)(z, BITS[n]![k]!));
    await check(focal({ gamma }), total, { targets: BITS, weights: WEIGHTS });
  });

  it("takes gamma 2 by default, and smoothed targets", async () => {
    const total = weightedMean(ONES, (z, n, k) => focused(2)(z, 0.9 * BITS[n]![k]! + 0.05));
    await check(focal({ labelSmoothing: 0.1 }), total, { targets: BITS, weights: ONES });
  });

  it("has finite slopes at a prediction that is exactly right", async () => {
    const actual = await computed(focal({ gamma: 0.5 }), [[60]], [[1]], [[1]]);
    expect(Array.from(actual.loss.data, Number)).toEqual([0]);
    expect(Array.from(actual.gradient.data, Number).every(Number.isFinite)).toBe(true);
  });
});

describe("softmaxCrossEntropy", () => {
  const total =
    (targets: Rows, weights: Rows) =>
    (logits: Rows): number => {
      const terms = logits.map((row, n) => {
        const mass = row.reduce((all, z) => all + Math.exp(z), 0);
        return -row.reduce((all, z, k) => all + targets[n]![k]! * Math.log(Math.exp(z) / mass), 0);
      });
      const weight = weights.reduce((all, row) => all + row[0]!, 0);
      return terms.reduce((all, term, n) => all + weights[n]![0]! * term, 0) / weight;
    };

  it.each([
    ["of all images", ONES],
    ["weighted by each image's first weight", WEIGHTS],
  ])("is the mean of -log p of the true class %s", async (_, weights) => {
    await check(softmaxCrossEntropy(), total(ONE_HOT, weights), { targets: ONE_HOT, weights });
  });

  it("moves targets towards the uniform distribution by the smoothing", async () => {
    const smoothed = ONE_HOT.map((row) => row.map((bit) => 0.7 * bit + 0.1));
    await check(softmaxCrossEntropy({ labelSmoothing: 0.3 }), total(smoothed, ONES), {
      targets: ONE_HOT,
      weights: ONES,
    });
  });

  it("stays finite for far apart logits", async () => {
    const actual = await computed(softmaxCrossEntropy(), [[300, -300]], [[0, 1]], [[1, 1]]);
    expect(Array.from(actual.loss.data, Number)).toEqual([600]);
    expect(Array.from(actual.gradient.data, Number)).toEqual([1, -1]);
  });
});
