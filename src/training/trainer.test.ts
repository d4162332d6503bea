import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import {
  adamW,
  binaryCrossEntropy,
  type Control,
  sgd,
  type TrainingGraphOptions,
  trainingGraph,
} from "../autodiff/index.ts";
import { AUGMENTATIONS } from "../datasets/index.ts";
import { NETWORKS, networkEntry } from "../models/index.ts";
import { float32, type Graph, graphBuilder, operators as op, type Tensor } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { trainingForward } from "./compose.ts";
import { type Feeds, openTrainer, type Trainer } from "./trainer.ts";

const SIZE = 32;
const BATCH = 4;
const RATE = 0.125;

/** A network of the table, small, from films to loss. */
function forwardOf(name: string, batch = BATCH): Graph {
  return trainingForward({
    network: networkEntry(name).build({ width: 0.3, depth: 0.5, seed: 3 }),
    logits: 1,
    size: SIZE,
    normalization: "standardize",
    batch,
    augmentation: AUGMENTATIONS.none,
    loss: binaryCrossEntropy(),
  });
}

/** The films numbered from `first`, with noise of their own. */
function feedsOf(first: number, count = BATCH): Feeds {
  const films = Array.from({ length: count }, (_, place) => {
    const random = randomStream(7, "film", first + place);
    return Uint8Array.from({ length: SIZE * SIZE }, () => random.integer(256));
  });
  const targets = films.map((_, place) => (first + place) % 2);
  return {
    images: { type: "uint8", dims: [count, SIZE, SIZE], data: Buffer.concat(films) },
    targets: float32([count, 1], targets),
    weights: float32([count, 1], new Float32Array(count).fill(1)),
    noiseSeed: seedOf(first),
  };
}

const seedOf = (seed: number): Tensor => ({
  type: "int64",
  dims: [],
  data: BigInt64Array.of(BigInt(seed)),
});

const controlsAt = (step: number): Partial<Record<Control, number>> => ({
  learningRate: RATE,
  step,
  averageDecay: 0.75,
});

type State = ReadonlyMap<string, Float32Array>;

const copyOf = (trainer: Trainer): State =>
  new Map([...trainer.state()].map(([name, { data }]) => [name, (data as Float32Array).slice()]));

async function withTrainer<T>(
  forward: Graph,
  options: TrainingGraphOptions,
  work: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const trainer = await openTrainer(trainingGraph(forward, options), { threads: 1 });
  try {
    return await work(trainer);
  } finally {
    await trainer.close();
  }
}

/** State before and after one step, and what the step returned. */
function oneStep(forward: Graph, options: TrainingGraphOptions, feeds: Feeds | Feeds[]) {
  return withTrainer(forward, options, async (trainer) => {
    const before = copyOf(trainer);
    const outputs = await trainer.step(feeds, controlsAt(1));
    return { before, after: copyOf(trainer), outputs };
  });
}

const close = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  ofLargest: number,
  what: string,
) => {
  const dims = [expected.length];
  expectClose({ dims, data: actual }, { dims, data: expected }, { ofLargest }, what);
};

/** Everything that is no kernel: biases of convolutions and products, and what norms hold. */
function spared(forward: Graph): ReadonlySet<string> {
  const places: Record<string, number> = { Conv: 2, Gemm: 2, BatchNormalization: 1 };
  return new Set(
    forward.nodes.flatMap(({ operator, inputs }) => inputs.slice(places[operator] ?? Infinity)),
  );
}

describe.each(NETWORKS.map(({ name }) => name))("a step of %s", (name) => {
  const forward = forwardOf(name);

  it("decays every kernel by rate times decay, and no bias, norm or statistic at all", async () => {
    const DECAY = 0.25;
    const feeds = feedsOf(0);
    const plain = await oneStep(forward, { optimizer: sgd() }, feeds);
    const decayed = await oneStep(forward, { optimizer: sgd({ weightDecay: DECAY }) }, feeds);
    const isSpared = spared(forward);
    const kernels = [...plain.after.keys()].filter((key) => !isSpared.has(key));
    expect(kernels.length).toBeGreaterThan(1);
    expect(plain.after.size).toBeGreaterThan(kernels.length);
    for (const [key, values] of plain.after) {
      if (isSpared.has(key)) expect(decayed.after.get(key), key).toEqual(values);
      else {
        const shrunk = values.map((value, i) => value - RATE * DECAY * plain.before.get(key)![i]!);
        close(decayed.after.get(key)!, shrunk, 1e-6, key);
      }
    }
  });

  it("of two micro-batches is repeated to the bit by a restored trainer", async () => {
    const options = { optimizer: adamW(), averages: true, clipNorm: 1, microBatches: 2 };
    const partsOf = (step: number) => [feedsOf(100 * step), feedsOf(100 * step + BATCH)];
    const [saved, expected] = await withTrainer(forward, options, async (trainer) => {
      for (const step of [1, 2, 3]) await trainer.step(partsOf(step), controlsAt(step));
      const tensors = new Map(
        [...trainer.state()].map(([key, { dims, data }]) => [
          key,
          float32(dims, (data as Float32Array).slice()),
        ]),
      );
      for (const step of [4, 5]) await trainer.step(partsOf(step), controlsAt(step));
      return [tensors, copyOf(trainer)] as const;
    });
    const actual = await withTrainer(forward, options, async (trainer) => {
      // Traces of another history must not matter.
      await trainer.step(partsOf(9), controlsAt(1));
      trainer.restore(saved);
      for (const step of [4, 5]) await trainer.step(partsOf(step), controlsAt(step));
      return copyOf(trainer);
    });
    expect([...actual.keys()]).toEqual([...expected.keys()]);
    for (const [key, values] of expected) expect(actual.get(key), key).toEqual(values);
  });
});

describe("micro-batches", () => {
  /** The network without its noise, which a split batch draws otherwise. */
  const withoutDropout = (forward: Graph): Graph => {
    const ratios = forward.nodes.flatMap(({ operator, inputs }) =>
      operator === "Dropout" ? [inputs[1]!] : [],
    );
    expect(ratios.length).toBeGreaterThan(0);
    const initializers = new Map(forward.initializers);
    for (const ratio of ratios) initializers.set(ratio, float32([], [0]));
    return { ...forward, initializers };
  };

  it("of a network without batch norm add up to the large batch", async () => {
    const options = { optimizer: sgd({ momentum: 0.9 }), clipNorm: 0.5 };
    const [whole, split] = [
      await oneStep(withoutDropout(forwardOf("cnn", 12)), options, feedsOf(0, 12)),
      await oneStep(
        withoutDropout(forwardOf("cnn", 4)),
        { ...options, microBatches: 3 },
        [0, 4, 8].map((first) => feedsOf(first, 4)),
      ),
    ];
    // Single-precision sums in another order.
    close(split.outputs.gradientNorm!.data as Float32Array, [normOf(whole)], 1e-5, "norm");
    close(split.outputs.loss!.data as Float32Array, [lossOf(whole)], 1e-6, "loss");
    for (const [key, values] of whole.after) close(split.after.get(key)!, values, 1e-5, key);
  });

  it("drop units of their own each", async () => {
    const builder = graphBuilder();
    const ones = float32([1000], new Float32Array(1000).fill(1));
    const kept = op.dropout(builder.parameter("w", ones), 0.5);
    builder.output(op.reduceSum(kept, { keepsDims: false }), "loss");
    const { before, after } = await oneStep(
      builder.build(),
      { optimizer: sgd(), microBatches: 2 },
      [{ noiseSeed: seedOf(1) }, { noiseSeed: seedOf(2) }],
    );
    // The gradient is the mean of two masks of 0 and 2: dropped twice, once, or never.
    const counts = new Map<number, number>();
    before.get("w")!.forEach((value, i) => {
      const gradient = Math.round((value - after.get("w")![i]!) / RATE);
      counts.set(gradient, (counts.get(gradient) ?? 0) + 1);
    });
    expect([...counts.keys()].sort()).toEqual([0, 1, 2]);
    expect(counts.get(1)).toBeGreaterThan(400);
  });
});

const normOf = ({ outputs }: Awaited<ReturnType<typeof oneStep>>) =>
  Number(outputs.gradientNorm!.data[0]);
const lossOf = ({ outputs }: Awaited<ReturnType<typeof oneStep>>) => Number(outputs.loss!.data[0]);

describe("a step of a residual network", () => {
  const forward = forwardOf("residual");
  const feeds = feedsOf(0);
  const moves = ({ before, after }: Awaited<ReturnType<typeof oneStep>>, key: string) =>
    after.get(key)!.map((value, i) => value - before.get(key)![i]!);

  it("is shortened in the whole when the gradient is longer than the limit", async () => {
    const free = await oneStep(forward, { optimizer: sgd() }, feeds);
    const clipNorm = normOf(free) / 4;
    const clipped = await oneStep(forward, { optimizer: sgd(), clipNorm }, feeds);
    expect(normOf(clipped)).toBeCloseTo(normOf(free), 5);
    for (const key of ["stem/conv.weight", "stage3/block0/norm1.scale", "head.bias"]) {
      const quarter = moves(free, key).map((move) => move / 4);
      // A move is the difference of numbers that are up to a thousand times larger.
      close(moves(clipped, key), quarter, 1e-3, key);
    }
  });

  it("moves a group of parameters at that group's rate", async () => {
    const rateOf = (key: string) => (key.startsWith("stem/") ? 0.25 : 1);
    const plain = await oneStep(forward, { optimizer: sgd() }, feeds);
    const grouped = await oneStep(forward, { optimizer: sgd(), rateOf }, feeds);
    const quarter = moves(plain, "stem/conv.weight").map((move) => move / 4);
    close(moves(grouped, "stem/conv.weight"), quarter, 1e-3, "stem/conv.weight");
    for (const [key, values] of plain.after)
      if (!key.startsWith("stem/")) expect(grouped.after.get(key), key).toEqual(values);
  });

  it("moves the averages a share of the way to the new weights and statistics", async () => {
    const { before, after } = await oneStep(forward, { optimizer: sgd(), averages: true }, feeds);
    const averaged = [...after.keys()].filter((key) => key.endsWith(":average"));
    expect(averaged).toContain("stage3/block0/norm1.scale:average");
    expect(averaged).toContain("stage3/block0/norm1.variance:average");
    for (const key of averaged) {
      const weights = after.get(key.replace(":average", ""))!;
      const expected = before.get(key)!.map((old, i) => 0.75 * old + 0.25 * weights[i]!);
      close(after.get(key)!, expected, 1e-6, key);
    }
  });
});

describe("restore", () => {
  const builder = graphBuilder();
  const w = builder.parameter("w", float32([2], [1, 2]));
  builder.output(op.reduceSum(w, { keepsDims: false }), "loss");
  const forward = builder.build();

  it.each<[string, Tensor | undefined]>([
    ["a missing", undefined],
    ["a misshapen", float32([3], [1, 2, 3])],
    ["a mistyped", { type: "float64", dims: [2], data: Float64Array.of(1, 2) }],
  ])("refuses %s tensor by its name", async (_, tensor) => {
    const state = new Map(tensor ? [["w", tensor]] : []);
    await withTrainer(forward, { optimizer: sgd() }, async (trainer) => {
      expect(() => trainer.restore(state)).toThrow(
        expect.objectContaining({
          code: "state-mismatch",
          details: expect.objectContaining({ name: "w" }),
        }),
      );
    });
  });
});
