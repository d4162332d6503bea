import { describe } from "vitest";
import { checkGradients, checkKinks } from "../../../test/support/gradient-check.ts";
import {
  between,
  distinct,
  fixed,
  given,
  nonZero,
  normal,
  type Operand,
  type OperatorCase,
  positive,
} from "../../../test/support/operator-case.ts";
import { float32, operators as op, type Value } from "../../onnx/index.ts";
import { ARITHMETIC_GRADIENTS } from "./arithmetic.ts";

type Binary = (a: Value, b: Value) => Value;
type Draw = (dims: readonly number[]) => Operand;

/** Every way in which two operands can broadcast against each other. */
const SHAPES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["equal shapes", [2, 3], [2, 3]],
  ["a scalar on the left", [], [2, 3]],
  ["a scalar on the right", [2, 3], []],
  ["a single element on the right", [2, 3], [1, 1]],
  ["a column against a row", [3, 1], [1, 4]],
  ["a shorter left operand", [3], [2, 2, 3]],
  ["a shorter right operand", [2, 2, 3], [2, 1]],
  ["a bias by channel", [2, 3, 2, 2], [1, 3, 1, 1]],
  ["a longer operand of ones", [2, 3], [1, 1, 2, 3]],
];

function broadcasting(
  operator: string,
  build: Binary,
  left: Draw = normal,
  right: Draw = left,
): OperatorCase[] {
  return SHAPES.map(([title, a, b]) => ({ operator, title, operands: [left(a), right(b)], build }));
}

/** Operands of max and min that stay apart: the left within 0.05 of tenths, the right shifted. */
const shifted: Draw = (dims) => between(5, 6, dims);
const spread: Draw = (dims) => between(4.9, 6.1, dims);

const node =
  (operator: string) =>
  (x: Value): Value =>
    x.builder.node(operator, [x])[0]!;
const asFloat = (x: Value): Value => op.cast(x, "float32");
const compared = (operator: string, build: Binary): OperatorCase => ({
  operator,
  title: "blocks the gradient",
  operands: [normal([4]), normal([4])],
  build: (a, b) => asFloat(build(a, b)),
});
const truth = given("bool", [2, 3], [0, 1, 1, 0, 1, 0]);

const CASES: readonly OperatorCase[] = [
  ...broadcasting("Add", op.add),
  ...broadcasting("Sub", op.sub),
  ...broadcasting("Mul", op.mul),
  ...broadcasting("Div", op.div, normal, nonZero),
  ...broadcasting("Max", op.max, shifted, spread),
  ...broadcasting("Min", op.min, shifted, spread),
  {
    operator: "Max",
    title: "three operands",
    operands: [distinct([2, 3]), normal([3]), nonZero([2, 1])],
    build: (a, b, c) => op.max(a, b, c),
  },
  {
    operator: "Min",
    title: "three operands",
    operands: [distinct([2, 3]), normal([3]), nonZero([2, 1])],
    build: (a, b, c) => op.min(a, b, c),
  },
  { operator: "Max", title: "one operand", operands: [normal([3])], build: (a) => op.max(a) },
  {
    operator: "Mul",
    title: "a value with itself",
    operands: [normal([2, 3])],
    build: (x) => op.mul(x, x),
  },
  {
    operator: "Add",
    title: "a value that three nodes use",
    operands: [normal([3])],
    build: (x) => op.add(op.exp(x), op.add(op.mul(x, x), x)),
  },
  ...broadcasting("Pow", op.pow, positive, normal),
  ...[-1, 0, 0.5, 1, 2, 3, 2.5].map((exponent) => ({
    operator: "Pow",
    title: `the constant exponent ${exponent}`,
    operands: [positive([2, 3])],
    build: (x: Value) => op.pow(x, x.builder.scalar(exponent)),
  })),
  {
    operator: "Pow",
    title: "squares and cubes of negative numbers",
    operands: [nonZero([6])],
    build: (x) => op.add(op.pow(x, x.builder.scalar(2)), op.pow(x, x.builder.scalar(3))),
  },
  {
    operator: "Pow",
    title: "a constant base",
    operands: [normal([4])],
    build: (x) => op.pow(x.builder.scalar(1.5), x),
  },
  { operator: "Neg", title: "a matrix", operands: [normal([2, 3])], build: op.neg },
  { operator: "Abs", title: "either sign", operands: [nonZero([2, 3])], build: op.abs },
  { operator: "Reciprocal", title: "either sign", operands: [nonZero([6])], build: op.reciprocal },
  { operator: "Exp", title: "either sign", operands: [normal([6])], build: op.exp },
  { operator: "Log", title: "positive", operands: [positive([6])], build: op.log },
  { operator: "Sqrt", title: "positive", operands: [positive([6])], build: op.sqrt },
  { operator: "Sin", title: "either sign", operands: [normal([6])], build: op.sin },
  { operator: "Cos", title: "either sign", operands: [normal([6])], build: op.cos },
  {
    operator: "Sum",
    title: "three operands broadcast",
    operands: [normal([2, 1]), normal([3]), normal([])],
    build: (a, b, c) => op.sum(a, b, c),
  },
  { operator: "Sum", title: "one operand", operands: [normal([3])], build: (a) => op.sum(a) },
  {
    operator: "Mean",
    title: "three operands broadcast",
    operands: [normal([2, 1]), normal([3]), normal([2, 3])],
    build: (a, b, c) => a.builder.node("Mean", [a, b, c])[0]!,
  },
  {
    operator: "Where",
    title: "equal shapes",
    operands: [truth, normal([2, 3]), normal([2, 3])],
    build: op.where,
  },
  {
    operator: "Where",
    title: "branches broadcast",
    operands: [truth, normal([3]), normal([2, 1])],
    build: op.where,
  },
  {
    operator: "Where",
    title: "the condition broadcasts",
    operands: [given("bool", [2, 1], [1, 0]), normal([2, 3]), normal([])],
    build: op.where,
  },
  { operator: "Identity", title: "a matrix", operands: [normal([2, 3])], build: op.identity },
  {
    operator: "Dropout",
    title: "at inference",
    operands: [normal([2, 3])],
    build: (x) => op.dropout(x, 0.5),
  },
  {
    operator: "Cast",
    title: "there and back through double precision",
    operands: [normal([4])],
    build: (x) => op.mul(op.cast(op.cast(x, "float64"), "float32"), x),
  },
  {
    operator: "Cast",
    title: "through integers, which blocks the gradient",
    operands: [normal([4])],
    build: (x) => op.mul(asFloat(op.cast(x, "int32")), x),
  },
  {
    operator: "Cast",
    title: "bytes beside a trained operand",
    operands: [given("uint8", [3], [0, 7, 255]), normal([3])],
    build: (pixels, x) => op.mul(asFloat(pixels), x),
  },
  ...["Floor", "Ceil", "Round", "Sign"].map((operator) => ({
    operator,
    title: "blocks the gradient",
    operands: [fixedShare([5])],
    build: (x: Value) => op.mul(node(operator)(x), x),
  })),
  compared("Equal", op.equal),
  compared("Greater", op.greater),
  compared("GreaterOrEqual", op.greaterOrEqual),
  compared("Less", op.less),
  compared("LessOrEqual", op.lessOrEqual),
  compared("And", (a, b) => op.and(op.greater(a, b), op.less(a, b))),
  compared("Or", (a, b) => op.or(op.greater(a, b), op.less(a, b))),
  compared("Xor", (a, b) => a.builder.node("Xor", [op.greater(a, b), op.less(a, b)])[0]!),
  compared("IsInf", (a, b) => op.and(node("IsInf")(a), op.less(a, b))),
  compared("Not", (a, b) => op.not(op.greater(a, b))),
  compared("IsNaN", (a, b) => op.and(node("IsNaN")(a), op.less(a, b))),
  {
    operator: "ArgMax",
    title: "blocks the gradient",
    operands: [distinct([2, 3])],
    build: (x) => op.mul(asFloat(argument("ArgMax", x)), x),
  },
  {
    operator: "ArgMin",
    title: "blocks the gradient",
    operands: [distinct([2, 3])],
    build: (x) => op.mul(asFloat(argument("ArgMin", x)), x),
  },
  {
    operator: "Mul",
    title: "an operand that is not trained",
    operands: [normal([2, 3]), fixed(normal([3]))],
    build: op.mul,
  },
];

/** Well away from whole numbers and halves. */
function fixedShare(dims: readonly number[]): Operand {
  return between(1.1, 1.4, dims);
}

function argument(operator: string, x: Value): Value {
  return x.builder.node(operator, [x], { axis: { kind: "int", value: 1 } })[0]!;
}

describe("gradients of arithmetic", () => {
  checkGradients(ARITHMETIC_GRADIENTS, CASES);
  checkKinks([
    {
      title: "Abs at 0 has slope 0",
      at: [float32([3], [-2, 0, 2])],
      build: op.abs,
      chosen: [[-1, 0, 1]],
    },
    {
      title: "operands of Max that tie share the gradient",
      at: [float32([3], [1, 2, 3]), float32([3], [1, 3, 2])],
      build: op.max,
      chosen: [
        [0.5, 0, 1],
        [0.5, 1, 0],
      ],
    },
    {
      title: "operands of Min that tie share the gradient",
      at: [float32([2], [1, 2]), float32([2], [1, 2]), float32([2], [1, 3]), float32([2], [1, 4])],
      build: (a, b, c, d) => op.min(a, b, c, d),
      chosen: [
        [0.25, 0.5],
        [0.25, 0.5],
        [0.25, 0],
        [0.25, 0],
      ],
    },
    {
      title: "Pow at base 0 has the exponent's slope 0",
      at: [float32([2], [0, 1]), float32([2], [2, 2])],
      build: op.pow,
      chosen: [
        [0, 2],
        [0, 0],
      ],
    },
    {
      title: "a square at 0 has slope 0",
      at: [float32([2], [0, -3])],
      build: (x) => op.pow(x, x.builder.scalar(2)),
      chosen: [[0, -6]],
    },
  ]);
});
