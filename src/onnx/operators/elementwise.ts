/** Typed constructors of elementwise operators. Names and attributes are the standard's. */
import type { Value } from "../build.ts";
import { float, int, string } from "../graph.ts";
import { ELEMENT_TYPES } from "../shapes/arithmetic.ts";
import type { DataType } from "../tensor.ts";

const unary =
  (operator: string) =>
  (x: Value): Value =>
    x.builder.node(operator, [x])[0]!;
const binary =
  (operator: string) =>
  (a: Value, b: Value): Value =>
    a.builder.node(operator, [a, b])[0]!;
const variadic =
  (operator: string) =>
  (first: Value, ...rest: readonly Value[]): Value =>
    first.builder.node(operator, [first, ...rest])[0]!;

export const abs = unary("Abs");
export const neg = unary("Neg");
export const reciprocal = unary("Reciprocal");
export const exp = unary("Exp");
export const log = unary("Log");
export const sqrt = unary("Sqrt");
export const erf = unary("Erf");
export const relu = unary("Relu");
export const sigmoid = unary("Sigmoid");
export const hardSwish = unary("HardSwish");
export const tanh = unary("Tanh");
export const softplus = unary("Softplus");
export const sign = unary("Sign");
export const sin = unary("Sin");
export const cos = unary("Cos");
export const floor = unary("Floor");
export const round = unary("Round");
export const not = unary("Not");
export const identity = unary("Identity");

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const pow = binary("Pow");
export const prelu = binary("PRelu");
export const equal = binary("Equal");
export const greater = binary("Greater");
export const greaterOrEqual = binary("GreaterOrEqual");
export const less = binary("Less");
export const lessOrEqual = binary("LessOrEqual");
export const and = binary("And");
export const or = binary("Or");
export const bitwiseAnd = binary("BitwiseAnd");
export const bitwiseXor = binary("BitwiseXor");

export const sum = variadic("Sum");
export const min = variadic("Min");
export const max = variadic("Max");

export function leakyRelu(x: Value, alpha = 0.01): Value {
  return x.builder.node("LeakyRelu", [x], { alpha: float(alpha) })[0]!;
}

export function elu(x: Value, alpha = 1): Value {
  return x.builder.node("Elu", [x], { alpha: float(alpha) })[0]!;
}

export function hardSigmoid(x: Value, { alpha = 0.2, beta = 0.5 } = {}): Value {
  return x.builder.node("HardSigmoid", [x], { alpha: float(alpha), beta: float(beta) })[0]!;
}

export function gelu(x: Value, approximate: "none" | "tanh" = "none"): Value {
  return x.builder.node("Gelu", [x], { approximate: string(approximate) })[0]!;
}

export function clip(x: Value, low?: number, high?: number): Value {
  const bound = (value: number | undefined) =>
    value === undefined ? undefined : x.builder.scalar(value);
  return x.builder.node("Clip", [x, bound(low), bound(high)])[0]!;
}

export function where(condition: Value, a: Value, b: Value): Value {
  return a.builder.node("Where", [condition, a, b])[0]!;
}

export function cast(x: Value, type: DataType): Value {
  if (x.type === type) return x;
  return x.builder.node("Cast", [x], { to: int(ELEMENT_TYPES[type]) })[0]!;
}

/** `direction`: the bits move towards the most ("LEFT") or least significant end. */
export function bitShift(x: Value, by: Value, direction: "LEFT" | "RIGHT"): Value {
  return x.builder.node("BitShift", [x, by], { direction: string(direction) })[0]!;
}

/** Remainder; `isTruncated` takes the dividend's sign (C's fmod), as float operands demand. */
export function mod(a: Value, b: Value, { isTruncated = false } = {}): Value {
  return a.builder.node("Mod", [a, b], isTruncated ? { fmod: int(1) } : {})[0]!;
}

/** An inference-time dropout; training graphs replace it by a seeded mask. */
export function dropout(x: Value, ratio: number): Value {
  return x.builder.node("Dropout", [x, x.builder.scalar(ratio)])[0]!;
}
