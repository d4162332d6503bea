import { describe } from "vitest";
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { between, given, nonZero, normal, type OperatorCase, positive } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { ELEMENTWISE_KERNELS } from "./elementwise.ts";

const node =
  (operator: string) =>
  (x: Value): Value =>
    x.builder.node(operator, [x])[0]!;

const kinks = given("float32", [7], [-3, -1, -0.5, 0, 0.5, 1, 3]);
const halves = given("float32", [8], [-2.5, -1.5, -0.5, -0.2, 0.5, 1.5, 2.5, 0.7]);

const CASES: readonly OperatorCase[] = [
  { operator: "Abs", title: "either sign", operands: [nonZero([7])], build: op.abs },
  { operator: "Neg", title: "floats", operands: [normal([2, 3])], build: op.neg },
  {
    operator: "Neg",
    title: "int64",
    operands: [given("int64", [3], [-2, 0, 5])],
    build: op.neg,
  },
  { operator: "Reciprocal", title: "either sign", operands: [nonZero([5])], build: op.reciprocal },
  { operator: "Exp", title: "either sign", operands: [normal([5])], build: op.exp },
  { operator: "Log", title: "positive", operands: [positive([5])], build: op.log },
  { operator: "Sqrt", title: "positive", operands: [positive([5])], build: op.sqrt },
  { operator: "Erf", title: "from -4 to 4", operands: [between(-4, 4, [40])], build: op.erf },
  { operator: "Relu", title: "at the kink", operands: [kinks], build: op.relu },
  { operator: "Sigmoid", title: "either sign", operands: [between(-9, 9, [9])], build: op.sigmoid },
  { operator: "Tanh", title: "either sign", operands: [between(-4, 4, [9])], build: op.tanh },
  {
    operator: "Softplus",
    title: "large and small",
    operands: [given("float32", [5], [-90, -1, 0, 2, 90])],
    build: op.softplus,
  },
  { operator: "Sign", title: "with zero", operands: [kinks], build: op.sign },
  { operator: "Sin", title: "either sign", operands: [between(-4, 4, [9])], build: op.sin },
  { operator: "Cos", title: "either sign", operands: [between(-4, 4, [9])], build: op.cos },
  { operator: "Floor", title: "halves", operands: [halves], build: op.floor },
  { operator: "Ceil", title: "halves", operands: [halves], build: node("Ceil") },
  { operator: "Round", title: "halves go to the even number", operands: [halves], build: op.round },
  {
    operator: "Not",
    title: "booleans",
    operands: [given("bool", [2], [0, 1])],
    build: op.not,
  },
  {
    operator: "HardSwish",
    title: "beyond both bounds",
    operands: [between(-5, 5, [20])],
    build: op.hardSwish,
  },
  {
    operator: "HardSigmoid",
    title: "its own slope",
    operands: [between(-5, 5, [20])],
    build: (x) => op.hardSigmoid(x, { alpha: 0.3, beta: 0.4 }),
  },
  {
    operator: "LeakyRelu",
    title: "slope 0.3",
    operands: [kinks],
    build: (x) => op.leakyRelu(x, 0.3),
  },
  { operator: "Elu", title: "alpha 1.5", operands: [kinks], build: (x) => op.elu(x, 1.5) },
  { operator: "Gelu", title: "exact", operands: [between(-4, 4, [20])], build: (x) => op.gelu(x) },
  {
    operator: "Gelu",
    title: "by tanh",
    operands: [between(-4, 4, [20])],
    build: (x) => op.gelu(x, "tanh"),
  },
  {
    operator: "Clip",
    title: "both bounds",
    operands: [kinks],
    build: (x) => op.clip(x, -0.5, 1),
  },
  {
    operator: "Clip",
    title: "one bound each",
    operands: [kinks],
    build: (x) => [op.clip(x, -0.5), op.clip(x, undefined, 0.5)],
  },
  {
    operator: "IsNaN",
    title: "of roots",
    operands: [given("float32", [3], [-1, 0, 1])],
    build: (x) => node("IsNaN")(op.sqrt(x)),
  },
  {
    operator: "IsInf",
    title: "of reciprocals",
    operands: [given("float32", [3], [-1, 0, 1])],
    build: (x) => node("IsInf")(op.reciprocal(x!)),
  },
  { operator: "Identity", title: "floats", operands: [normal([3])], build: op.identity },
  {
    operator: "Dropout",
    title: "hands its input on",
    operands: [normal([3])],
    build: (x) => op.dropout(x, 0.5),
  },
];

describe("elementwise kernels", () => {
  checkAgainstRuntime(ELEMENTWISE_KERNELS, CASES);
});
