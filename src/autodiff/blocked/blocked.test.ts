/** The blocked layout gives what the standard layout gives, but for rounding, in graphs of every shape. */
import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import { blockedChannels, openSession } from "../../onnx/index.node.ts";
import {
  BLOCKED_DOMAIN,
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  sizeOf,
  type Tensor,
  type Value,
} from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { sgd } from "../optimizers/sgd.ts";
import { trainingGraph } from "../training-graph.ts";

const block = await blockedChannels();

/** Seeded normal numbers, named so that equal names give equal numbers. */
function drawn(name: string, dims: readonly number[], spread = 1, centre = 0): Tensor {
  const random = randomStream(7, name);
  return float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => centre + spread * random.normal()),
  );
}

interface Case {
  readonly title: string;
  readonly input: readonly number[];
  readonly build: (x: Value) => Value;
  /** Operators that the blocked graph is expected to have in blocks. */
  readonly blocked: readonly string[];
}

const parameter = (x: Value, name: string, dims: readonly number[], spread = 0.3, centre = 0) =>
  x.builder.parameter(name, drawn(name, dims, spread, centre));

type ConvOptions = NonNullable<Parameters<typeof op.conv>[3]>;

function conv(x: Value, name: string, weight: readonly number[], options: ConvOptions = {}): Value {
  return op.conv(x, parameter(x, `${name}.weight`, weight), undefined, options);
}

function norm(x: Value, name: string, options: { momentum?: number } = {}): Value {
  const channels = [Number(x.shape[1])];
  const vector = (part: string, spread: number, centre: number) =>
    x.builder.parameter(`${name}.${part}`, drawn(`${name}.${part}`, channels, spread, centre));
  const parts = { scale: vector("scale", 0.2, 1), bias: vector("bias", 0.2, 0) };
  const stored = { mean: vector("mean", 0, 0.1), variance: vector("variance", 0, 1.2) };
  return op.batchNormalization(x, { ...parts, ...stored }, options);
}

const same = { pads: [1, 1, 1, 1] } as const;
const halved = { pads: [1, 1, 1, 1], strides: [2, 2] } as const;

function convCase(
  title: string,
  input: readonly number[],
  weight: readonly number[],
  options: ConvOptions = {},
): Case {
  // A 1x1 convolution comes first, so that the input's gradient is needed too.
  const channels = input[1]!;
  return {
    title,
    input,
    blocked: ["Conv"],
    build: (x) => conv(conv(x, "first", [channels, channels, 1, 1]), "second", weight, options),
  };
}

const CASES: readonly Case[] = [
  convCase("3x3", [16, 32, 6, 5], [48, 32, 3, 3], same),
  convCase(
    "3x3 on maps large enough to be taken image by image",
    [2, 16, 32, 32],
    [16, 16, 3, 3],
    same,
  ),
  convCase("3x3, a batch that fills no block", [3, 16, 5, 5], [16, 16, 3, 3], same),
  convCase("3x3, stride 2, even size", [16, 16, 8, 6], [32, 16, 3, 3], halved),
  convCase("3x3, stride 2, odd size", [16, 16, 7, 9], [32, 16, 3, 3], halved),
  convCase("3x3, stride 2, padded at the end", [16, 16, 8, 8], [16, 16, 3, 3], {
    strides: [2, 2],
    autoPad: "SAME_UPPER",
  }),
  convCase("5x5, stride 3, a remainder at the end", [16, 16, 12, 13], [16, 16, 5, 5], {
    strides: [3, 3],
    pads: [2, 2, 2, 2],
  }),
  convCase("1x1", [16, 16, 4, 4], [32, 16, 1, 1]),
  convCase("1x1, stride 2", [16, 16, 7, 8], [32, 16, 1, 1], { strides: [2, 2] }),
  convCase("dilation 2", [16, 16, 9, 9], [16, 16, 3, 3], {
    dilations: [2, 2],
    pads: [2, 2, 2, 2],
  }),
  convCase("dilation 2 and stride 2", [16, 16, 11, 11], [16, 16, 3, 3], {
    dilations: [2, 2],
    strides: [2, 2],
    pads: [2, 2, 2, 2],
  }),
  convCase("padding wider than the kernel reaches", [16, 16, 4, 4], [16, 16, 1, 1], {
    pads: [1, 1, 1, 1],
  }),
  convCase("channels that fill no block", [16, 24, 6, 6], [40, 24, 3, 3], same),
  convCase("depthwise", [4, 32, 7, 6], [32, 1, 3, 3], { ...same, group: 32 }),
  convCase("depthwise, stride 2, odd size", [4, 16, 7, 9], [16, 1, 3, 3], { ...halved, group: 16 }),
  convCase("depthwise, stride 2, even size", [4, 16, 8, 6], [16, 1, 3, 3], {
    ...halved,
    group: 16,
  }),
  convCase("depthwise, channels that fill no block", [4, 24, 6, 6], [24, 1, 5, 5], {
    pads: [2, 2, 2, 2],
    group: 24,
  }),
  {
    title: "a bias",
    input: [16, 16, 5, 5],
    blocked: ["Conv"],
    build: (x) => {
      const weight = parameter(x, "weight", [24, 16, 3, 3]);
      return op.conv(x, weight, parameter(x, "bias", [24]), same);
    },
  },
  {
    title: "batch norm alone, with Relu, with Clip, and with a shortcut",
    input: [8, 16, 6, 6],
    blocked: ["Conv"],
    build: (x) => {
      const a = norm(conv(x, "a", [40, 16, 3, 3], same), "a-norm");
      const b = op.relu(norm(conv(a, "b", [40, 40, 3, 3], same), "b-norm"));
      const c = op.clip(norm(conv(b, "c", [40, 40, 1, 1]), "c-norm"), 0, 1);
      const d = op.relu(op.add(norm(conv(c, "d", [40, 40, 3, 3], same), "d-norm"), c));
      return op.add(norm(conv(d, "e", [40, 40, 1, 1]), "e-norm"), a);
    },
  },
  {
    title: "batch norm of channels that vary little around a large mean",
    input: [4, 16, 12, 12],
    blocked: ["Conv"],
    build: (x) => {
      const weight = parameter(x, "weight", [16, 16, 3, 3]);
      const y = op.conv(x, weight, parameter(x, "bias", [16], 1, 300), same);
      return op.relu(norm(y, "norm"));
    },
  },
  {
    title: "one image, what fills blocks not zero, and an operand twice",
    input: [1, 40, 8, 8],
    blocked: ["Conv"],
    build: (x) => {
      const y = op.sigmoid(conv(x, "a", [40, 40, 3, 3], same));
      const n = norm(conv(y, "b", [40, 40, 1, 1]), "b-norm");
      return conv(op.add(n, n), "c", [40, 40, 3, 3], same);
    },
  },
  {
    title: "a value that is read in both layouts",
    input: [8, 16, 6, 6],
    blocked: ["Conv"],
    build: (x) => {
      const y = op.relu(norm(conv(x, "a", [40, 16, 3, 3], same), "a-norm"));
      const pooled = op.maxPool(y, { kernel: [2, 2], strides: [2, 2] });
      const z = conv(y, "b", [40, 40, 3, 3], halved);
      return op.mul(op.add(pooled, z), pooled);
    },
  },
  {
    title: "averages: by window and over all positions",
    input: [8, 24, 6, 6],
    blocked: ["Conv", "GlobalAveragePool"],
    build: (x) => {
      const y = conv(x, "a", [24, 24, 3, 3], same);
      const z = op.averagePool(y, { kernel: [2, 2], strides: [2, 2] });
      return op.flatten(op.globalAveragePool(op.tanh(conv(z, "b", [40, 24, 1, 1]))));
    },
  },
  {
    title: "operators with numbers and with maps",
    input: [8, 16, 5, 5],
    blocked: ["Conv"],
    build: (x) => {
      const y = conv(x, "a", [16, 16, 3, 3], same);
      const gate = op.sigmoid(op.mul(y, x.builder.scalar(0.5)));
      return op.mul(op.sub(y, x.builder.scalar(0.1)), op.add(gate, x));
    },
  },
];

function forwardOf({ input, build }: Case): Graph {
  const builder = graphBuilder();
  const y = build(builder.input("x", "float32", input));
  const weights = builder.parameter("loss-weights", drawn("loss-weights", y.shape.map(Number)));
  const axes = y.shape.map((_, axis) => axis);
  builder.output(op.reduceSum(op.mul(y, weights), { axes, keepsDims: false }), "loss");
  return builder.build();
}

/** The outputs of one step: loss, gradient norm and every parameter and statistic after it. */
async function stepOf(forward: Graph, layout: number, freeze = /^loss-weights/) {
  const training = trainingGraph(forward, {
    optimizer: sgd(),
    block: layout,
    trainable: (name) => !freeze.test(name),
  });
  const session = await openSession(training.graph, { threads: 1 });
  const feeds: Record<string, Tensor> = { learningRate: float32([], [1]), step: float32([], [1]) };
  for (const { name, initial } of training.state) feeds[name] = initial;
  feeds.x = drawn("x", forward.inputs[0]!.shape!.map(Number));
  const wanted = new Set(training.graph.inputs.map(({ name }) => name));
  const results = await session.run(
    Object.fromEntries(Object.entries(feeds).filter(([name]) => wanted.has(name))),
  );
  await session.close();
  return { training, results };
}

/** Single precision, sums of up to a few thousand products in another order. */
const TOLERANCE = { ofLargest: 2e-5 };

describe.skipIf(block === 0)(`the blocked layout (blocks of ${block})`, () => {
  it.each(CASES.map((one) => [one.title, one] as const))("changes no step: %s", async (_, one) => {
    const forward = forwardOf(one);
    const { training, results } = await stepOf(forward, block);
    const standard = await stepOf(forward, 0);
    const inBlocks = new Set(
      training.graph.nodes.flatMap(({ domain, operator }) =>
        domain === BLOCKED_DOMAIN ? [operator] : [],
      ),
    );
    expect([...inBlocks]).toEqual(expect.arrayContaining([...one.blocked]));
    expect(Object.keys(results).sort()).toEqual(Object.keys(standard.results).sort());
    for (const [name, want] of Object.entries(standard.results))
      expectClose(results[name]!, want, TOLERANCE, name);
  });

  it("keeps frozen norms at their stored statistics", async () => {
    const forward = forwardOf(CASES.find(({ title }) => title.startsWith("batch norm"))!);
    const freeze = /^loss-weights|-norm/;
    const { results } = await stepOf(forward, block, freeze);
    const standard = await stepOf(forward, 0, freeze);
    for (const [name, want] of Object.entries(standard.results))
      expectClose(results[name]!, want, TOLERANCE, name);
  });

  it("leaves alone what has too few channels", async () => {
    const forward = forwardOf(convCase("few", [2, 3, 5, 5], [4, 3, 3, 3], same));
    const { training } = await stepOf(forward, block);
    expect(training.graph.nodes.every(({ domain }) => domain === "")).toBe(true);
  });
});
