/** Shape rules of elementwise operators. */
import { type Attribute, intOf } from "../graph.ts";
import { DATA_TYPES, type DataType, int64, type Tensor, toNumbers } from "../tensor.ts";
import { broadcastShapes } from "./broadcast.ts";
import type { Inferred, ShapeContext, ShapeRule, ShapeTable } from "./infer.ts";

/** The standard's numbers of element types (TensorProto.DataType). */
export const ELEMENT_TYPES: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

export function elementType(attribute: Attribute | undefined): DataType | undefined {
  const number = attribute?.kind === "int" ? attribute.value : ELEMENT_TYPES.float32;
  return DATA_TYPES.find((type) => ELEMENT_TYPES[type] === number);
}

function broadcast(context: ShapeContext, type?: DataType): Inferred {
  const operands = context.inputs.flatMap((operand) => operand ?? []);
  const shape = broadcastShapes(...operands.map((operand) => operand.shape));
  if (!shape)
    return context.fail(
      `shapes ${operands.map((operand) => `[${operand.shape}]`).join(" and ")} do not broadcast`,
    );
  return { type: type ?? context.operand(0).type, shape };
}

const sameAsFirst: ShapeRule = (context) => {
  const { type, shape } = context.operand(0);
  return [{ type, shape }];
};
const elementwise: ShapeRule = (context) => [broadcast(context)];
const comparison: ShapeRule = (context) => [broadcast(context, "bool")];
const predicate: ShapeRule = (context) => [{ type: "bool", shape: context.operand(0).shape }];

/** Integer arithmetic on known contents, so that exported shape computations fold away. */
function folding(compute: (a: number, b: number) => number): ShapeRule {
  return (context) => {
    const result = broadcast(context);
    const constant = foldIntegers(context, compute);
    return [constant ? { ...result, constant } : result];
  };
}

function foldIntegers(
  context: ShapeContext,
  compute: (a: number, b: number) => number,
): Tensor | undefined {
  const a = context.inputs[0]?.constant;
  const b = context.inputs[1]?.constant;
  if (a?.type !== "int64" || b?.type !== "int64" || a.dims.length > 1 || b.dims.length > 1)
    return undefined;
  const left = toNumbers(a);
  const right = toNumbers(b);
  const length = left.length === 1 ? right.length : left.length;
  if (right.length !== 1 && right.length !== length) return undefined;
  const values = Array.from({ length }, (_, i) =>
    compute(left[left.length === 1 ? 0 : i]!, right[right.length === 1 ? 0 : i]!),
  );
  return int64(a.dims.length + b.dims.length === 0 ? [] : [length], values);
}

const UNARY = [
  "Abs",
  "Acos",
  "Acosh",
  "Asin",
  "Asinh",
  "Atan",
  "Atanh",
  "BitwiseNot",
  "Ceil",
  "Celu",
  "Clip",
  "Cos",
  "Cosh",
  "Elu",
  "Erf",
  "Exp",
  "Floor",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "LeakyRelu",
  "Log",
  "Mish",
  "Neg",
  "Not",
  "PRelu",
  "Reciprocal",
  "Relu",
  "Round",
  "Selu",
  "Sigmoid",
  "Sign",
  "Sin",
  "Sinh",
  "Softplus",
  "Softsign",
  "Sqrt",
  "Tan",
  "Tanh",
  "ThresholdedRelu",
  "CumSum",
];
const BROADCASTING = [
  "And",
  "BitShift",
  "BitwiseAnd",
  "BitwiseOr",
  "BitwiseXor",
  "Max",
  "Mean",
  "Min",
  "Mod",
  "Or",
  "Pow",
  "Sum",
  "Xor",
];
const COMPARISONS = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];

const all = (names: readonly string[], rule: ShapeRule): ShapeTable =>
  Object.fromEntries(names.map((name) => [name, rule]));

export const ARITHMETIC_SHAPES: ShapeTable = {
  ...all(UNARY, sameAsFirst),
  ...all(BROADCASTING, elementwise),
  ...all(COMPARISONS, comparison),
  ...all(["IsNaN", "IsInf"], predicate),
  Identity: (context) => {
    const { type, shape, constant } = context.operand(0);
    return [constant ? { type, shape, constant } : { type, shape }];
  },
  Add: folding((a, b) => a + b),
  Sub: folding((a, b) => a - b),
  Mul: folding((a, b) => a * b),
  Div: folding((a, b) => Math.trunc(a / b)),
  Where: (context) => [broadcast(context, context.operand(1).type)],
  Cast: (context) => {
    const { shape, constant } = context.operand(0);
    const type = elementType(context.attributes.to);
    if (!type)
      return context.fail(`element type ${intOf(context.attributes, "to", 0)} is not supported`);
    const isFoldable = constant && type === "int64" && /^u?int/.test(constant.type);
    return [
      isFoldable
        ? { type, shape, constant: int64(constant.dims, toNumbers(constant)) }
        : { type, shape },
    ];
  },
  Dropout: (context) => {
    const { type, shape } = context.operand(0);
    return [
      { type, shape },
      { type: "bool", shape },
    ];
  },
};
