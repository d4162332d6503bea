/** Every typed operator with a symbolic batch: what is inferred once is what ONNX Runtime returns for any. */
import { describe, expect, it, test } from "vitest";
import { thrownBy } from "../../../test/support/rejection.ts";
import { type GraphBuilder, graphBuilder, type Value } from "../build.ts";
import { type Attributes, float, type Graph, int, ints } from "../graph.ts";
import * as op from "../operators/index.ts";
import { openSession } from "../session.node.ts";
import { allocate, type DataType, float32, int64, sizeOf } from "../tensor.ts";
import { INFERABLE_OPERATORS, inferOutputs } from "./infer.ts";

type Case = (b: GraphBuilder) => Value | readonly Value[];

const IMAGE = [4, 6, 8];
function batch(b: GraphBuilder, type: DataType = "float32", rest: readonly number[] = IMAGE) {
  const name = `${type}_${rest.join("_")}`;
  return b.find(name) ?? b.input(name, type, ["N", ...rest]);
}
const ones = (b: GraphBuilder, dims: readonly number[]) =>
  b.constant(float32(dims, new Float32Array(sizeOf(dims)).fill(1)));
const integers = (b: GraphBuilder, dims: readonly number[]) =>
  b.constant(int64(dims, Array<number>(sizeOf(dims)).fill(0)));

const unary =
  (operator: (x: Value) => Value, type?: DataType): Case =>
  (b) =>
    operator(batch(b, type));
/** Against a constant that is broadcast over the batch, and against another batch. */
const binary =
  (operator: (a: Value, b: Value) => Value, type: DataType = "float32"): Case =>
  (b) => {
    const x = batch(b, type);
    const row = b.input("row", type, [6, 1]);
    return [operator(x, row), operator(row, x), operator(x, b.input("y", type, ["N", 1, 1, 8]))];
  };
const reduction =
  (operator: typeof op.reduceMean): Case =>
  (b) => {
    const x = batch(b);
    const axes = [1, -1];
    return [operator(x, { axes }), operator(x, { axes, keepsDims: false }), operator(x)];
  };
const norm = (b: GraphBuilder, channels: number) => ({
  scale: ones(b, [channels]),
  bias: ones(b, [channels]),
});
const batchNorm = (b: GraphBuilder) => ({
  ...norm(b, 4),
  mean: ones(b, [4]),
  variance: ones(b, [4]),
});
const POOL = { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0], isCeil: true };

/** Not every machine has them: autodiff/blocked runs them where there are any. */
type OfBlocks =
  | "blockedConv"
  | "blockedGlobalAveragePool"
  | "reorderChannelsLast"
  | "reorderInput"
  | "reorderOutput";

/** One entry for each export: the compiler misses none. */
const CASES: Record<Exclude<keyof typeof op, OfBlocks>, Case> = {
  matMul: (b) => [
    op.matMul(batch(b), ones(b, [8, 5])),
    op.matMul(ones(b, [2, 6]), batch(b)),
    op.matMul(batch(b, "float32", [8]), ones(b, [8])),
  ],
  gemm: (b) => [
    op.gemm(batch(b, "float32", [8]), ones(b, [5, 8]), ones(b, [5]), { transB: true }),
    op.gemm(ones(b, [8, 5]), batch(b, "float32", [8]), undefined, { transA: true, transB: true }),
  ],
  einsum: (b) => op.einsum("bchw,bcwk->bchk", batch(b), batch(b, "float32", [4, 8, 3])),
  conv: (b) => [
    op.conv(batch(b), ones(b, [6, 2, 3, 3]), ones(b, [6]), {
      group: 2,
      strides: [2, 1],
      dilations: [1, 2],
      pads: [1, 2, 0, 2],
    }),
    op.conv(batch(b), ones(b, [3, 4, 3, 2]), undefined, { autoPad: "SAME_UPPER", strides: [2, 3] }),
  ],
  convTranspose: (b) =>
    op.convTranspose(batch(b), ones(b, [4, 3, 3, 3]), ones(b, [6]), {
      group: 2,
      strides: [2, 2],
      pads: [1, 1, 0, 1],
      outputPadding: [1, 0],
    }),
  maxPool: (b) => op.maxPool(batch(b), POOL),
  maxPoolWithIndices: (b) => Object.values(op.maxPoolWithIndices(batch(b), POOL)),
  averagePool: (b) => op.averagePool(batch(b), { ...POOL, countsPadding: true }),
  globalAveragePool: unary(op.globalAveragePool),
  globalMaxPool: unary(op.globalMaxPool),
  // Its output's shape is given in numbers, the batch among them.
  maxUnpool: (b) => {
    const x = b.input("fixed", "float32", [2, 4, 6, 8]);
    const { maxima, indices } = op.maxPoolWithIndices(x, { kernel: [2, 2], strides: [2, 2] });
    return op.maxUnpool(maxima, indices, [2, 4, 6, 8], { kernel: [2, 2], strides: [2, 2] });
  },
  abs: unary(op.abs),
  neg: unary(op.neg),
  reciprocal: unary(op.reciprocal),
  exp: unary(op.exp),
  log: unary(op.log),
  sqrt: unary(op.sqrt),
  erf: unary(op.erf),
  relu: unary(op.relu),
  sigmoid: unary(op.sigmoid),
  hardSwish: unary(op.hardSwish),
  tanh: unary(op.tanh),
  softplus: unary(op.softplus),
  sign: unary(op.sign),
  sin: unary(op.sin),
  cos: unary(op.cos),
  floor: unary(op.floor),
  round: unary(op.round),
  not: unary(op.not, "bool"),
  identity: unary(op.identity),
  add: binary(op.add),
  sub: binary(op.sub),
  mul: binary(op.mul),
  div: binary(op.div),
  pow: binary(op.pow),
  prelu: (b) => op.prelu(batch(b), ones(b, [4, 1, 1])),
  equal: binary(op.equal),
  greater: binary(op.greater),
  greaterOrEqual: binary(op.greaterOrEqual),
  less: binary(op.less),
  lessOrEqual: binary(op.lessOrEqual),
  and: binary(op.and, "bool"),
  or: binary(op.or, "bool"),
  bitwiseAnd: binary(op.bitwiseAnd, "uint32"),
  bitwiseXor: binary(op.bitwiseXor, "uint32"),
  sum: binary(op.sum),
  min: binary(op.min),
  max: binary(op.max),
  leakyRelu: unary(op.leakyRelu),
  elu: unary(op.elu),
  hardSigmoid: unary(op.hardSigmoid),
  gelu: unary(op.gelu),
  clip: (b) => [op.clip(batch(b), 0, 1), op.clip(batch(b), undefined, 2)],
  where: (b) => op.where(b.input("is", "bool", ["N", 1, 1, 1]), batch(b), ones(b, [8])),
  cast: unary((x) => op.cast(x, "int64")),
  bitShift: binary((x, y) => op.bitShift(x, y, "LEFT"), "uint32"),
  mod: binary((x, y) => op.mod(x, y, { isTruncated: true })),
  dropout: unary((x) => op.dropout(x, 0.5)),
  batchNormalization: (b) => op.batchNormalization(batch(b), batchNorm(b)),
  batchNormalizationInTraining: (b) =>
    Object.values(op.batchNormalizationInTraining(batch(b), batchNorm(b))),
  layerNormalization: (b) => op.layerNormalization(batch(b), norm(b, 8)),
  instanceNormalization: (b) => op.instanceNormalization(batch(b), norm(b, 4)),
  groupNormalization: (b) => op.groupNormalization(batch(b), norm(b, 4), { groups: 2 }),
  softmax: unary((x) => op.softmax(x, 1)),
  logSoftmax: unary(op.logSoftmax),
  reshape: (b) => [op.reshape(batch(b), [-1, 24, 8]), op.reshape(batch(b), [0, -1])],
  reshapeTo: (b) => op.reshapeTo(batch(b), b.integers([0, 0, -1])),
  flatten: unary(op.flatten),
  transpose: (b) => [
    op.transpose(batch(b), [0, 2, 3, 1]),
    op.transpose(batch(b, "float32", [8]), [1, 0]),
  ],
  squeeze: (b) => op.squeeze(batch(b, "float32", [1, 6, 1]), [1, -1]),
  unsqueeze: (b) => [op.unsqueeze(batch(b), [0, -1]), op.unsqueeze(batch(b), [1])],
  expand: (b) => {
    const [images] = b.node("Shape", [batch(b)], { start: int(0), end: int(1) });
    const target = op.concat([images!, b.integers([3, 6])], 0);
    return [
      op.expand(batch(b, "float32", [1, 8]), [5, 1, 6, 8]),
      b.node("Expand", [ones(b, [1, 6]), target])[0]!,
    ];
  },
  concat: (b) => op.concat([batch(b), op.relu(batch(b, "float32", [2, 6, 8]))], 1),
  split: (b) => op.split(batch(b), [1, 3], 1),
  slice: (b) =>
    op.slice(batch(b), [
      { axis: 3, start: -1, end: -100, step: -2 },
      { axis: 2, start: 1, end: 100 },
    ]),
  pad: (b) => op.pad(batch(b), [0, 0, 1, 2, 0, 0, 3, 0], { mode: "edge" }),
  gather: (b) => [
    op.gather(batch(b), integers(b, [2, 3]), 1),
    op.gather(ones(b, [5, 7]), b.input("i", "int64", ["N"])),
  ],
  cumSum: (b) => op.cumSum(batch(b), 1),
  gatherElements: (b) => op.gatherElements(batch(b), b.input("i", "int64", ["N", 1, 6, 8]), 1),
  scatterElements: (b) =>
    op.scatterElements(
      batch(b, "float32", [8]),
      b.input("i", "int64", ["N", 1]),
      b.input("u", "float32", ["N", 1]),
      {
        axis: 1,
        reduction: "add",
      },
    ),
  scatterND: (b) => op.scatterND(batch(b), integers(b, [1, 1]), ones(b, [1, ...IMAGE]), "add"),
  tile: (b) => op.tile(batch(b), [1, 2, 1, 3]),
  depthToSpace: unary((x) => op.depthToSpace(x, 2)),
  spaceToDepth: unary((x) => op.spaceToDepth(x, 2)),
  shapeOf: unary(op.shapeOf),
  reduceMean: reduction(op.reduceMean),
  reduceSum: reduction(op.reduceSum),
  reduceMax: reduction(op.reduceMax),
  reduceMin: reduction(op.reduceMin),
  reduceL2: reduction(op.reduceL2),
  reduceSumSquare: reduction(op.reduceSumSquare),
  resizeToSizes: (b) =>
    op.resizeToSizes(batch(b), [5, 5], { mode: "linear", isAntialiased: true, axes: [2, 3] }),
  resizeByScales: (b) => op.resizeByScales(batch(b), [1, 1, 2, 1.5]),
  affineGrid: (b) => op.affineGrid(b.input("theta", "float32", [2, 2, 3]), [2, 4, 6, 8]),
  gridSample: (b) => op.gridSample(batch(b), b.input("grid", "float32", ["N", 5, 7, 2])),
};

const node =
  (operator: string, attributes: Attributes = {}, type?: DataType): Case =>
  (b) =>
    b.node(operator, [batch(b, type)], attributes)[0]!;
const summary = (operator: string): Case =>
  reduction(
    (x, { axes, keepsDims = true } = {}) =>
      x.builder.node(operator, [x, axes && x.builder.integers(axes)], {
        keepdims: int(keepsDims ? 1 : 0),
      })[0]!,
  );
/** Operators that only graphs of other tools have. */
const FOREIGN: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    [
      ...["Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cosh", "Hardmax"],
      ...["Mish", "Selu", "Sinh", "Softsign", "Tan", "ThresholdedRelu", "LpNormalization"],
      ...["IsInf", "IsNaN", "Size"],
    ].map((operator) => [operator, node(operator)]),
  ),
  ...Object.fromEntries(
    ["ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd"].map((name) => [
      name,
      summary(name),
    ]),
  ),
  ArgMax: (b) => [
    b.node("ArgMax", [batch(b)], { axis: int(1) })[0]!,
    b.node("ArgMax", [batch(b)], { axis: int(-1), keepdims: int(0) })[0]!,
  ],
  ArgMin: node("ArgMin", { axis: int(2) }),
  BitwiseNot: node("BitwiseNot", {}, "uint32"),
  BitwiseOr: binary((x, y) => x.builder.node("BitwiseOr", [x, y])[0]!, "uint32"),
  Xor: binary((x, y) => x.builder.node("Xor", [x, y])[0]!, "bool"),
  Mean: binary((x, y) => x.builder.node("Mean", [x, y])[0]!),
  CenterCropPad: (b) =>
    b.node("CenterCropPad", [batch(b), b.integers([5, 9])], { axes: ints([2, 3]) })[0]!,
  Constant: (b) => op.add(batch(b), b.node("Constant", [], { value_float: float(2) })[0]!),
  ConstantOfShape: (b) => b.node("ConstantOfShape", [b.integers([2, 3])])[0]!,
  LRN: node("LRN", { size: int(3) }),
  LpPool: node("LpPool", { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }),
  OneHot: (b) => {
    const x = b.find("ids") ?? b.input("ids", "int64", ["N", 3]);
    const values = b.constant(float32([2], [0, 1]));
    return b.node("OneHot", [x, b.integers([5]), values], { axis: int(-1) })[0]!;
  },
  Range: (b) =>
    b.node(
      "Range",
      [0, 7, 2].map((value) => b.constant(int64([], [value]))),
    )[0]!,
  Trilu: node("Trilu"),
};

/** The graph of a case, with all its values as outputs, and what was inferred of them. */
function graphOf(build: Case): { graph: Graph; inferred: readonly Value[] } {
  const b = graphBuilder();
  const inferred = [build(b)].flat();
  inferred.forEach((value, index) => {
    b.output(value, `out${index}`);
  });
  return { graph: b.build(), inferred };
}

describe("shapes with a symbolic batch are those that ONNX Runtime returns", () => {
  it.each(Object.entries({ ...CASES, ...FOREIGN }))("%s", async (name, build) => {
    const { graph, inferred } = graphOf(build);
    const session = await openSession(graph);
    for (const batchSize of name === "maxUnpool" || name === "affineGrid" ? [2] : [1, 3]) {
      const feeds = Object.fromEntries(
        graph.inputs.map(({ name: input, ...given }) => {
          const type = given.type!;
          const dims = given.shape!.map((size) => (typeof size === "number" ? size : batchSize));
          return [input, { type, dims, data: allocate(type, sizeOf(dims)) }];
        }),
      );
      const results = await session.run(feeds);
      inferred.forEach(({ shape, type }, index) => {
        const expected = shape.map((size) => (size === "N" ? batchSize : size));
        const { dims, type: received } = results[`out${index}`]!;
        expect([index, received, [...dims]]).toEqual([index, type, expected]);
      });
    }
    await session.close();
  });
});

test("every operator with a shape rule is among these", () => {
  const used = new Set(
    Object.values({ ...CASES, ...FOREIGN }).flatMap((build) =>
      graphOf(build).graph.nodes.map(({ operator }) => operator),
    ),
  );
  expect([...INFERABLE_OPERATORS].filter((operator) => !used.has(operator)).sort()).toEqual([]);
});

test("an operator without a rule is named, with its node", () => {
  const node = { name: "up1", operator: "NonZero", domain: "", inputs: [], outputs: ["y"] };
  const error = thrownBy(() => inferOutputs({ ...node, attributes: {} }, []));
  expect(error).toMatchObject({
    code: "operator-unsupported",
    details: { operator: "NonZero", node: "up1" },
  });
});
