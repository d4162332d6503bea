import { describe } from "vitest";
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { given, nonZero, normal, type OperatorCase, positive } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { ARITHMETIC_KERNELS } from "./arithmetic.ts";

type Binary = (a: Value, b: Value) => Value;

const SHAPES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["equal shapes", [2, 3], [2, 3]],
  ["a scalar on the right", [2, 3], []],
  ["rows against columns", [1, 3], [4, 1]],
  ["a shorter left operand", [3], [2, 2, 3]],
];

const broadcasting = (operator: string, build: Binary, right = normal): OperatorCase[] =>
  SHAPES.map(([title, a, b]) => ({ operator, title, operands: [normal(a), right(b)], build }));

const levels = given("float32", [6], [-1, 0, 1, 2, 2, 3]);
const others = given("float32", [6], [1, 0, 1, 3, 2, 2]);
const compare = (operator: string, build: Binary): OperatorCase => ({
  operator,
  title: "with ties",
  operands: [levels, others],
  build,
});
const truth = given("bool", [4], [0, 0, 1, 1]);
const logic = (operator: string, build: Binary): OperatorCase => ({
  operator,
  title: "the truth table",
  operands: [truth, given("bool", [4], [0, 1, 0, 1])],
  build,
});
const words = given("uint32", [4], [0, 1, 0x80000001, 0xffffffff]);
const bits = (operator: string, build: Binary): OperatorCase => ({
  operator,
  title: "uint32",
  operands: [words, given("uint32", [4], [5, 3, 0xf0f0f0f0, 7])],
  build,
});
const node =
  (operator: string) =>
  (a: Value, b: Value): Value =>
    a.builder.node(operator, [a, b])[0]!;
const longs = (values: readonly (number | bigint)[]) => given("int64", [values.length], values);

const CASES: readonly OperatorCase[] = [
  ...broadcasting("Add", op.add),
  ...broadcasting("Sub", op.sub),
  ...broadcasting("Mul", op.mul),
  ...broadcasting("Div", op.div, nonZero),
  ...broadcasting("Min", op.min),
  ...broadcasting("Max", op.max),
  {
    operator: "Div",
    title: "int64 is cut towards zero",
    operands: [longs([7, -7, 9]), longs([2, 2, -4])],
    build: op.div,
  },
  {
    operator: "Mul",
    title: "int64 wraps to 64 bits",
    operands: [longs([0xffffffffn, 3n]), longs([0x846ca68bn, -5n])],
    build: op.mul,
  },
  {
    operator: "Mul",
    title: "uint32 wraps to 32 bits",
    operands: [words, given("uint32", [4], [5, 3, 3, 0x7feb352d])],
    build: op.mul,
  },
  {
    operator: "Sub",
    title: "uint32 wraps below zero",
    operands: [words, given("uint32", [], [2])],
    build: op.sub,
  },
  {
    operator: "Max",
    title: "int64",
    operands: [longs([1, -5, 3]), longs([2, -6, 3])],
    build: op.max,
  },
  {
    operator: "Sum",
    title: "three operands broadcast",
    operands: [normal([2, 1]), normal([3]), normal([2, 3])],
    build: (a, b, c) => op.sum(a, b, c),
  },
  {
    operator: "Mean",
    title: "three operands broadcast",
    operands: [normal([2, 1]), normal([3]), normal([2, 3])],
    build: (a, b, c) => a.builder.node("Mean", [a, b, c])[0]!,
  },
  {
    operator: "Pow",
    title: "a positive base, any exponent",
    operands: [positive([2, 3]), normal([3])],
    build: op.pow,
  },
  {
    operator: "Pow",
    title: "a negative base, whole exponents",
    operands: [nonZero([3]), given("float32", [3], [2, 3, -1])],
    build: op.pow,
  },
  {
    operator: "PRelu",
    title: "a slope by channel",
    operands: [nonZero([2, 3, 2]), normal([3, 1])],
    build: op.prelu,
  },
  compare("Equal", op.equal),
  compare("Greater", op.greater),
  compare("GreaterOrEqual", op.greaterOrEqual),
  compare("Less", op.less),
  compare("LessOrEqual", op.lessOrEqual),
  {
    operator: "Equal",
    title: "int64 broadcast",
    operands: [longs([1, 2, 3]), given("int64", [1], [2])],
    build: op.equal,
  },
  logic("And", op.and),
  logic("Or", op.or),
  logic("Xor", node("Xor")),
  bits("BitwiseAnd", op.bitwiseAnd),
  bits("BitwiseOr", node("BitwiseOr")),
  bits("BitwiseXor", op.bitwiseXor),
  {
    operator: "BitShift",
    title: "uint32 both ways",
    operands: [words, given("uint32", [4], [1, 31, 4, 16])],
    build: (a, b) => [op.bitShift(a, b, "LEFT"), op.bitShift(a, b, "RIGHT")],
  },
  {
    operator: "Mod",
    title: "int64 takes the divisor's sign",
    operands: [longs([7, -7, 7, -7]), longs([3, 3, -3, -3])],
    build: (a, b) => [op.mod(a, b), op.mod(a, b, { isTruncated: true })],
  },
  {
    operator: "Mod",
    title: "floats take the dividend's sign",
    operands: [given("float32", [3], [5.5, -5.5, 2]), given("float32", [], [2])],
    build: (a, b) => op.mod(a, b, { isTruncated: true }),
  },
  {
    operator: "Cast",
    title: "floats are cut towards zero",
    operands: [given("float32", [4], [-1.7, -0.2, 0, 2.9])],
    build: (x) => [op.cast(x, "int64"), op.cast(x, "int32"), op.cast(x, "bool")],
  },
  {
    operator: "Cast",
    title: "to floats",
    operands: [given("uint8", [2], [0, 255]), given("bool", [2], [0, 1]), longs([-3, 4])],
    build: (...values) => values.map((value) => op.cast(value, "float32")),
  },
  {
    operator: "Where",
    title: "broadcast in three directions",
    operands: [given("bool", [2, 1], [0, 1]), normal([3]), normal([2, 3])],
    build: op.where,
  },
];

describe("arithmetic kernels", () => {
  checkAgainstRuntime(ARITHMETIC_KERNELS, CASES);
});
