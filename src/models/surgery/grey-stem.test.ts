import { expect, test } from "vitest";
import { openSession } from "../../onnx/index.node.ts";
import {
  filled,
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  sizeOf,
  type Tensor,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { greyStem } from "./grey-stem.ts";

const IMAGENET = {
  mean: [123.675, 116.28, 103.53],
  deviation: [58.395, 57.12, 57.375],
} as const;
const CAFFE = { mean: [103.939, 116.779, 123.68], deviation: [1, 1, 1] } as const;
const SYMMETRIC = { mean: [127, 127, 127], deviation: [128, 128, 128] } as const;
const RANGE = { scale: 127.5, offset: 127.5 };
const STANDARD = { scale: 57, offset: 117 };
const SIZE = 11;

function drawn(dims: readonly number[], ...path: (string | number)[]): Tensor {
  const random = randomStream(7, ...path);
  return float32(
    dims,
    Array.from({ length: sizeOf(dims) }, () => random.normal()),
  );
}

function weightOf(x: Value, name: string, dims: readonly number[]): Value {
  return x.builder.parameter(name, drawn(dims, name));
}

interface StemCase {
  readonly title: string;
  /** Channels that the stem reads afterwards; undefined where three have to be computed. */
  readonly channels: number | undefined;
  readonly preprocessing?: typeof IMAGENET | typeof CAFFE | typeof SYMMETRIC;
  readonly scale?: typeof RANGE;
  build(x: Value): Value;
}

const conv = (x: Value, options: Parameters<typeof op.conv>[3], bias = true, kernel = 3) =>
  op.conv(
    x,
    weightOf(x, "stem.weight", [4, Number(x.shape[1]), kernel, kernel]),
    bias ? weightOf(x, "stem.bias", [4]) : undefined,
    options,
  );
const imageConstant = (x: Value, values: readonly number[]) =>
  x.builder.constant(float32([1, 3, 1, 1], values));
const channel = (x: Value, index: number) =>
  op.slice(x, [{ axis: 1, start: index, end: index + 1 }]);

const CASES: readonly StemCase[] = [
  {
    title: "a padded convolution, channels that differ",
    channels: 2,
    build: (x) => conv(x, { pads: [1, 1, 1, 1], strides: [2, 2] }),
  },
  {
    title: "a padded convolution without bias, before a batch norm",
    channels: 2,
    build: (x) => {
      const y = conv(x, { pads: [3, 3, 3, 3], strides: [2, 2] }, false, 7);
      const part = (name: string) => weightOf(x, `bn.${name}`, [4]);
      const variance = x.builder.parameter("bn.variance", filled([4], 2));
      return op.relu(
        op.batchNormalization(y, {
          scale: part("scale"),
          bias: part("bias"),
          mean: part("mean"),
          variance,
        }),
      );
    },
  },
  {
    title: "a padded convolution, channels normalised alike",
    channels: 1,
    preprocessing: SYMMETRIC,
    scale: RANGE,
    build: (x) => conv(x, { pads: [0, 0, 1, 1], strides: [2, 2] }),
  },
  {
    title: "a convolution that leaves the border out",
    channels: 1,
    build: (x) => conv(x, {}, false),
  },
  {
    title: "patches embedded",
    channels: 1,
    build: (x) => conv(x, { strides: [4, 4] }, true, 4),
  },
  {
    title: "padding computed by SAME_UPPER",
    channels: 2,
    build: (x) => conv(x, { autoPad: "SAME_UPPER", strides: [2, 2] }),
  },
  {
    title: "VALID by name",
    channels: 1,
    build: (x) => conv(x, { autoPad: "VALID" }),
  },
  {
    title: "channels in blue, green, red order, two convolutions",
    channels: 2,
    preprocessing: CAFFE,
    build: (x) => {
      const other = op.conv(x, weightOf(x, "other.weight", [4, 3, 1, 1]), undefined, {
        strides: [2, 2],
      });
      return op.add(conv(x, { pads: [1, 1, 1, 1], strides: [2, 2] }), other);
    },
  },
  {
    title: "a Pad node of zeros before a padded convolution",
    channels: 2,
    build: (x) =>
      conv(op.pad(x, [0, 0, 0, 1, 0, 0, 2, 1]), { pads: [1, 0, 1, 0], strides: [2, 2] }),
  },
  {
    title: "a Pad node of something else",
    channels: 2,
    build: (x) => conv(op.pad(x, [0, 0, 1, 1, 0, 0, 1, 1], { value: 0.7 }), {}),
  },
  {
    title: "a Pad node of something else before a padded convolution",
    channels: undefined,
    build: (x) => conv(op.pad(x, [0, 0, 1, 1, 0, 0, 1, 1], { value: 0.7 }), { pads: [1, 1, 1, 1] }),
  },
  {
    title: "a Pad node before a convolution that pads by itself",
    channels: 2,
    build: (x) => conv(op.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), { autoPad: "SAME_UPPER" }),
  },
  {
    title: "a border reflected",
    channels: undefined,
    build: (x) => conv(op.pad(x, [0, 0, 1, 1, 0, 0, 1, 1], { mode: "reflect" }), {}),
  },
  {
    title: "normalisation by nodes in front",
    channels: 2,
    build: (x) => {
      const centred = op.sub(x, imageConstant(x, [0.4, 0.5, 0.6]));
      return conv(op.div(centred, imageConstant(x, [0.2, 0.3, 0.25])), { pads: [1, 1, 1, 1] });
    },
  },
  {
    title: "normalisation by a batch norm, after a Pad node",
    channels: 2,
    build: (x) => {
      const part = (name: string) => weightOf(x, `input.${name}`, [3]);
      const norm = op.batchNormalization(op.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), {
        scale: part("scale"),
        bias: part("bias"),
        mean: part("mean"),
        variance: x.builder.parameter("input.variance", filled([3], 0.5)),
      });
      return conv(op.sub(x.builder.scalar(1), norm), {});
    },
  },
  {
    title: "channels taken apart, scaled and joined again",
    channels: 1,
    build: (x) => {
      const parts = [2, 1, 0].map((index) =>
        op.add(op.mul(channel(x, index), x.builder.scalar(0.4 + index)), x.builder.scalar(-0.1)),
      );
      return conv(op.concat(parts as [Value, Value, Value], 1), { strides: [2, 2] });
    },
  },
  {
    title: "a single channel gathered without its axis",
    channels: 2,
    build: (x) => {
      const parts = [0, 1, 2].map((index) => {
        const taken = op.gather(
          x,
          x.builder.constant({ type: "int64", dims: [], data: BigInt64Array.of(BigInt(index)) }),
          1,
        );
        return op.mul(op.unsqueeze(taken, [1]), x.builder.scalar(1 + index / 3));
      });
      return conv(op.concat(parts as [Value, Value, Value], 1), { pads: [1, 1, 1, 1] });
    },
  },
  {
    title: "channels reversed by a slice",
    channels: 2,
    build: (x) =>
      conv(op.slice(x, [{ axis: 1, start: -1, end: -(2 ** 31), step: -1 }]), {
        pads: [1, 1, 1, 1],
      }),
  },
  {
    title: "a transposed image normalised and transposed back",
    channels: 2,
    build: (x) => {
      const last = op.transpose(x, [0, 2, 3, 1]);
      const scaled = op.mul(last, x.builder.constant(float32([3], [0.5, 0.25, 2])));
      return conv(op.transpose(scaled, [0, 3, 1, 2]), { pads: [1, 1, 1, 1] });
    },
  },
  {
    title: "a grouped convolution",
    channels: undefined,
    build: (x) =>
      op.conv(x, weightOf(x, "stem.weight", [6, 1, 3, 3]), undefined, {
        group: 3,
        pads: [1, 1, 1, 1],
      }),
  },
  {
    title: "pooling of the image itself",
    channels: undefined,
    build: (x) => conv(op.maxPool(x, { kernel: [2, 2] }), { pads: [1, 1, 1, 1] }),
  },
  {
    title: "positions that scale differently",
    channels: undefined,
    build: (x) => conv(op.mul(x, weightOf(x, "map", [1, 3, SIZE, SIZE])), {}),
  },
];

function graphOf(entry: StemCase): Graph {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 3, SIZE, SIZE]);
  builder.output(entry.build(x), "features");
  return builder.build();
}

async function featuresOf(graph: Graph, x: Tensor): Promise<Tensor> {
  const session = await openSession(graph, { threads: 1 });
  const { features } = await session.run({ x });
  await session.close();
  return features!;
}

const largest = (values: readonly number[]) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

for (const entry of CASES) {
  const { title, channels, preprocessing = IMAGENET, scale = STANDARD } = entry;
  test(`a grey stem equals the replicated input's: ${title}`, async () => {
    const grey = drawn([2, 1, SIZE, SIZE], "image");
    const area = SIZE * SIZE;
    const replicated = float32(
      [2, 3, SIZE, SIZE],
      Array.from({ length: 6 * area }, (_, i) => {
        const c = Math.floor(i / area) % 3;
        const n = Number(grey.data[Math.floor(i / (3 * area)) * area + (i % area)]);
        const pixel = scale.scale * n + scale.offset;
        return (pixel - preprocessing.mean[c]!) / preprocessing.deviation[c]!;
      }),
    );
    const graph = graphOf(entry);
    const stem = greyStem(graph, preprocessing, scale);
    const expected = await featuresOf(graph, replicated);
    const actual = await featuresOf(stem, grey);
    const wanted = toNumbers(expected);
    const error = largest(toNumbers(actual).map((value, i) => value - wanted[i]!));
    expect(actual.dims).toEqual(expected.dims);
    expect(error / largest(wanted)).toBeLessThan(1e-5);
    const [weight] = [...stem.initializers.values()].filter(
      ({ dims }) => dims.length === 4 && dims[2] !== SIZE && dims[2] !== 1,
    );
    const isGrouped = title.includes("grouped");
    expect(weight?.dims[1]).toBe(channels ?? (isGrouped ? 1 : 3));
  });
}

test("the stem of a network that reads one channel has that channel's normalisation folded in", async () => {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 1, SIZE, SIZE]);
  builder.output(conv(x, { pads: [1, 1, 1, 1] }), "features");
  const graph = builder.build();
  const grey = drawn([1, 1, SIZE, SIZE], "image");
  const normalised = float32(
    grey.dims,
    toNumbers(grey).map((n) => (57 * n + 117 - 123.675) / 58.395),
  );
  const expected = await featuresOf(graph, normalised);
  const actual = await featuresOf(greyStem(graph, IMAGENET, STANDARD), grey);
  expected.data.forEach((value, i) => {
    expect(actual.data[i]).toBeCloseTo(Number(value), 4);
  });
});

test("the size of the batch may be asked of the image", async () => {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", [2, 3, SIZE, SIZE]);
  const [size] = builder.node("Shape", [x], {
    start: { kind: "int", value: 0 },
    end: { kind: "int", value: 1 },
  });
  const y = conv(x, {});
  builder.output(op.reshapeTo(y, op.concat([size!, builder.integers([-1])], 0)), "features");
  const stem = greyStem(builder.build(), IMAGENET, STANDARD);
  expect(stem.initializers.get("stem.weight")!.dims).toEqual([4, 1, 3, 3]);
  expect(stem.outputs[0]!.shape).toEqual([2, 4 * 9 * 9]);
});
