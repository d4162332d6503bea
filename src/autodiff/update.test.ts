import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import {
  type Batch,
  batchOf,
  gradientOf,
  INPUTS,
  linearForward,
  OUTPUTS,
  START,
  trained,
  type Weights,
} from "../../test/support/linear-problem.ts";
import { filled, graphBuilder, operators as op } from "../onnx/index.ts";
import { openTrainer } from "../training/trainer.ts";
import { adamW } from "./optimizers/adam.ts";
import { sgd } from "./optimizers/sgd.ts";
import { trainingGraph } from "./training-graph.ts";

const RATE = 0.25;
const atRate = () => ({ learningRate: RATE });

function close(actual: readonly number[] | undefined, want: readonly number[], what: string) {
  const dims = [want.length];
  expectClose({ dims, data: actual ?? [] }, { dims, data: want }, { ofLargest: 2e-6 }, what);
}

const normOf = ({ w, b }: Weights): number => Math.hypot(...w, ...b);
const moved = (from: readonly number[], g: readonly number[], factor: number): number[] =>
  from.map((p, i) => p - factor * g[i]!);

/** The rows of a batch in parts of `rows`. */
function parts({ x, t }: Batch, rows: number): Batch[] {
  return Array.from({ length: t.length / OUTPUTS / rows }, (_, i) => ({
    x: x.slice(i * rows * INPUTS, (i + 1) * rows * INPUTS),
    t: t.slice(i * rows * OUTPUTS, (i + 1) * rows * OUTPUTS),
  }));
}

describe("clipping", () => {
  const batch = batchOf(5, 1);
  const gradient = gradientOf(START, batch);
  const norm = normOf(gradient);

  it("reports the norm of the whole gradient before it clips", async () => {
    const { outputs } = await trained({ optimizer: sgd(), clipNorm: norm / 4 }, [[batch]], atRate);
    close([outputs.gradientNorm!], [norm], "gradientNorm");
  });

  it("shortens a gradient that is too long to the limit, direction kept", async () => {
    const { state } = await trained({ optimizer: sgd(), clipNorm: norm / 4 }, [[batch]], atRate);
    close(state.get("w"), moved(START.w, gradient.w, RATE / 4), "w");
    close(state.get("b"), moved(START.b, gradient.b, RATE / 4), "b");
  });

  it("leaves a shorter gradient alone", async () => {
    const { state } = await trained({ optimizer: sgd(), clipNorm: norm * 1.5 }, [[batch]], atRate);
    close(state.get("w"), moved(START.w, gradient.w, RATE), "w");
    close(state.get("b"), moved(START.b, gradient.b, RATE), "b");
  });
});

describe("accumulation", () => {
  const batches = [1, 2, 3].map((step) => batchOf(6, step));

  it.each([2, 3, 6])("over %i micro-batches equals the whole batch", async (microBatches) => {
    const options = { optimizer: adamW({ weightDecay: 0.1 }), clipNorm: 0.5, averages: true };
    const controlsAt = () => ({ learningRate: 0.05, averageDecay: 0.8 });
    const whole = await trained(
      options,
      batches.map((batch) => [batch]),
      controlsAt,
    );
    const split = await trained(
      { ...options, microBatches },
      batches.map((batch) => parts(batch, 6 / microBatches)),
      controlsAt,
    );
    for (const [name, values] of whole.state) close(split.state.get(name), values, name);
    close([split.outputs.gradientNorm!], [whole.outputs.gradientNorm!], "gradientNorm");
  });

  it("starts every step from an empty accumulator", async () => {
    const still = () => ({ learningRate: 0 });
    const [first, second] = [batchOf(4, 1), batchOf(4, 2)];
    const { outputs } = await trained(
      { optimizer: sgd(), microBatches: 2 },
      [parts(first, 2), parts(second, 2)],
      still,
    );
    close([outputs.gradientNorm!], [normOf(gradientOf(START, second))], "gradientNorm");
  });
});

describe("averages", () => {
  it("follow the updated weights by the decay of each step", async () => {
    const decayAt = (step: number) => [0.5, 0.75, 0.9][step - 1]!;
    const batches = [1, 2, 3].map((step) => batchOf(5, step));
    const { state } = await trained(
      { optimizer: sgd(), averages: true },
      batches.map((batch) => [batch]),
      (step) => ({ learningRate: RATE, averageDecay: decayAt(step) }),
    );
    let weights = START;
    let averaged = START;
    batches.forEach((batch, index) => {
      const g = gradientOf(weights, batch);
      weights = { w: moved(weights.w, g.w, RATE), b: moved(weights.b, g.b, RATE) };
      const decay = decayAt(index + 1);
      const blend = (old: readonly number[], fresh: readonly number[]) =>
        old.map((a, i) => decay * a + (1 - decay) * fresh[i]!);
      averaged = { w: blend(averaged.w, weights.w), b: blend(averaged.b, weights.b) };
    });
    close(state.get("w:average"), averaged.w, "w:average");
    close(state.get("b:average"), averaged.b, "b:average");
    close(state.get("w"), weights.w, "w");
  });
});

describe("rates and decays", () => {
  const batch = batchOf(5, 1);
  const gradient = gradientOf(START, batch);

  it("scale the learning rate of one parameter", async () => {
    const rateOf = (name: string) => (name === "w" ? 0.1 : 1);
    const { state } = await trained({ optimizer: sgd(), rateOf }, [[batch]], atRate);
    close(state.get("w"), moved(START.w, gradient.w, RATE * 0.1), "w");
    close(state.get("b"), moved(START.b, gradient.b, RATE), "b");
  });

  it("shrink what `decays` names, by the parameter's own rate", async () => {
    const { state } = await trained(
      {
        optimizer: sgd({ weightDecay: 0.4 }),
        decays: (name) => name === "b",
        rateOf: (name) => (name === "b" ? 0.5 : 1),
      },
      [[batch]],
      atRate,
    );
    const shrunk = START.b.map((p) => p * (1 - RATE * 0.5 * 0.4));
    close(state.get("w"), moved(START.w, gradient.w, RATE), "w");
    close(state.get("b"), moved(shrunk, gradient.b, RATE * 0.5), "b");
  });
});

describe("decay", () => {
  const shapes = {
    "a bias in the shape of an image": [1, 3, 1, 1],
    "a slope by channel": [3, 1, 1],
    "a kernel with one output and one place": [1, 3, 1, 1],
    "an embedding of places": [1, 3, 2, 2],
  } as const;

  it.each<[keyof typeof shapes, boolean]>([
    ["a bias in the shape of an image", false],
    ["a slope by channel", false],
    ["a kernel with one output and one place", true],
    ["an embedding of places", true],
  ])("of %s: %s", async (what, isDecayed) => {
    const builder = graphBuilder();
    const dims = shapes[what];
    const ones = filled([...dims], 1);
    const w = builder.parameter("w", ones);
    const x = builder.constant(filled([1, 3, 2, 2], 1));
    const y = what.startsWith("a kernel") ? op.conv(x, w) : op.mul(op.add(x, w), w);
    builder.output(op.mul(op.reduceSum(y, { keepsDims: false }), builder.scalar(0)), "loss");
    const training = trainingGraph(builder.build(), { optimizer: sgd({ weightDecay: 0.5 }) });
    const trainer = await openTrainer(training, { threads: 1 });
    await trainer.step({}, { learningRate: RATE, step: 1 });
    const values = new Set(trainer.state().get("w")!.data as Float32Array);
    await trainer.close();
    expect([...values]).toEqual([isDecayed ? 1 - RATE * 0.5 : 1]);
  });
});

describe("frozen parameters", () => {
  const optimizer = adamW();
  const whole = trainingGraph(linearForward(5), { optimizer });
  const frozen = trainingGraph(linearForward(5), { optimizer, trainable: (name) => name === "b" });

  it("stay constants of the graph, with no state of their own", () => {
    expect(frozen.graph.initializers.has("w")).toBe(true);
    expect(frozen.graph.inputs.map(({ name }) => name)).not.toContain("w");
    expect(frozen.state.map(({ name }) => name)).toEqual(["b", "b:first", "b:second"]);
    expect(whole.graph.initializers.has("w")).toBe(false);
  });

  it("have no gradient computed for them", () => {
    const products = (graph: typeof whole.graph) =>
      graph.nodes.filter(({ operator }) => operator === "Gemm" || operator === "MatMul").length;
    // The forward product, and with w trained the one of its gradient; x needs none.
    expect(products(whole.graph)).toBe(2);
    expect(products(frozen.graph)).toBe(1);
    const sizes = [...frozen.graph.values.values()].map(({ shape }) => `${shape}`);
    expect(sizes.filter((shape) => shape === `${OUTPUTS},${INPUTS}`)).toHaveLength(1);
  });

  it("leave the others' steps as they were", async () => {
    const batch = batchOf(5, 1);
    const { state } = await trained(
      { optimizer: sgd(), trainable: (name) => name === "b" },
      [[batch]],
      atRate,
    );
    close(state.get("b"), moved(START.b, gradientOf(START, batch).b, RATE), "b");
  });

  it("are refused when nothing is left to train", () => {
    expect(() => trainingGraph(linearForward(5), { optimizer, trainable: () => false })).toThrow(
      expect.objectContaining({ code: "no-trainable-parameters" }),
    );
  });
});
