/** Arithmetic of several operands with broadcasting; integers are exact and wrap to their width. */
import { type DataType, intOf, sizeOf, stringOf } from "../../../src/onnx/index.ts";
import {
  arrayOf,
  broadcastDims,
  broadcastOffset,
  eachIndex,
  emptyElements,
  isWide,
  type NdArray,
  numbersOf,
  tabulate,
} from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";

interface Arithmetic {
  readonly doubles: (a: number, b: number) => number;
  readonly integers?: (a: bigint, b: bigint) => bigint;
  readonly isComparison?: boolean;
}

const INTEGER_BITS: Partial<Record<DataType, readonly [bits: number, isSigned: boolean]>> = {
  uint8: [8, false],
  int8: [8, true],
  uint16: [16, false],
  int16: [16, true],
  uint32: [32, false],
  int32: [32, true],
  int64: [64, true],
  uint64: [64, false],
};

function wrapped(type: DataType, value: bigint): bigint {
  const [bits, isSigned] = INTEGER_BITS[type]!;
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** Folds the operands pairwise with broadcasting; integers are exact and wrap to their width. */
function folded(
  { doubles, integers, isComparison }: Arithmetic,
  finish = (x: number, _: number) => x,
) {
  return (operation: Operation): readonly NdArray[] => {
    const operands = operation.inputs.map((_, index) => operation.input(index));
    const dims = broadcastDims(...operands.map((operand) => operand.dims));
    const { type } = operands[0]!;
    const isExact = integers !== undefined && INTEGER_BITS[type] !== undefined;
    const data = emptyElements(isComparison ? "bool" : type, sizeOf(dims));
    eachIndex(dims, (index, offset) => {
      const values = operands.map((operand) => operand.data[broadcastOffset(operand.dims, index)]!);
      if (isExact) {
        const result = values.map(BigInt).reduce((a, b) => wrapped(type, integers(a, b)));
        data[offset] = isWide(type) ? result : Number(result);
      } else {
        const result = finish(
          values.map(Number).reduce((a, b) => doubles(a, b)),
          values.length,
        );
        data[offset] = isWide(type) && !isComparison ? BigInt(result) : result;
      }
    });
    return [{ type: isComparison ? "bool" : type, dims, data }];
  };
}

const comparison = (test: (a: number, b: number) => boolean): Kernel =>
  folded({ doubles: (a, b) => Number(test(a, b)), isComparison: true });
const bits = (integers: (a: bigint, b: bigint) => bigint): Kernel =>
  folded({ doubles: () => Number.NaN, integers });

const pow: Kernel = (operation) => {
  const [base, exponent] = [operation.input(0), operation.input(1)];
  const [x, power] = [numbersOf(base), numbersOf(exponent)];
  const dims = broadcastDims(base.dims, exponent.dims);
  const result = tabulate(
    base.type,
    dims,
    (index) =>
      x[broadcastOffset(base.dims, index)]! ** power[broadcastOffset(exponent.dims, index)]!,
  );
  return [result];
};

/** The slope is broadcast to x, never the other way. */
const prelu: Kernel = (operation) => {
  const [x, slope] = [operation.input(0), operation.input(1)];
  const factors = numbersOf(slope);
  return [
    tabulate(x.type, x.dims, (index) => {
      const value = Number(x.data[broadcastOffset(x.dims, index)]);
      return value < 0 ? value * factors[broadcastOffset(slope.dims, index)]! : value;
    }),
  ];
};

const mod: Kernel = (operation) => {
  const isTruncated = intOf(operation.attributes, "fmod", 0) === 1;
  const floored = (a: bigint, b: bigint): bigint => ((a % b) + b) % b;
  return folded({
    doubles: (a, b) => a % b,
    integers: isTruncated ? (a, b) => a % b : floored,
  })(operation);
};

const bitShift: Kernel = (operation) => {
  const isLeft = stringOf(operation.attributes, "direction", "") === "LEFT";
  return bits((a, b) => (isLeft ? a << b : a >> b))(operation);
};

const TYPE_NUMBERS: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  11: "float64",
  12: "uint32",
  13: "uint64",
};

/** Fractions are cut off; there is no rounding to single precision. */
const cast: Kernel = (operation) => {
  const x = operation.input(0);
  const type = TYPE_NUMBERS[intOf(operation.attributes, "to", 0)];
  if (!type) throw new RangeError("Cast to a type that the reference does not know");
  if (isWide(type) && isWide(x.type)) return [{ ...x, type }];
  const convert = (value: number): number => {
    if (type === "bool") return value === 0 ? 0 : 1;
    if (!INTEGER_BITS[type]) return value;
    return isWide(type) ? Math.trunc(value) : Number(wrapped(type, BigInt(Math.trunc(value))));
  };
  return [arrayOf(type, { dims: x.dims, data: numbersOf(x).map(convert) })];
};

const where: Kernel = (operation) => {
  const [condition, a, b] = [operation.input(0), operation.input(1), operation.input(2)];
  const dims = broadcastDims(condition.dims, a.dims, b.dims);
  const data = emptyElements(a.type, sizeOf(dims));
  eachIndex(dims, (index, offset) => {
    const chosen = condition.data[broadcastOffset(condition.dims, index)] ? a : b;
    data[offset] = chosen.data[broadcastOffset(chosen.dims, index)]!;
  });
  return [{ type: a.type, dims, data }];
};

export const ARITHMETIC_KERNELS: KernelTable = {
  Add: folded({ doubles: (a, b) => a + b, integers: (a, b) => a + b }),
  Sub: folded({ doubles: (a, b) => a - b, integers: (a, b) => a - b }),
  Mul: folded({ doubles: (a, b) => a * b, integers: (a, b) => a * b }),
  Div: folded({ doubles: (a, b) => a / b, integers: (a, b) => a / b }),
  Sum: folded({ doubles: (a, b) => a + b }),
  Mean: folded({ doubles: (a, b) => a + b }, (total, count) => total / count),
  Min: folded({ doubles: Math.min }),
  Max: folded({ doubles: Math.max }),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  BitwiseAnd: bits((a, b) => a & b),
  BitwiseOr: bits((a, b) => a | b),
  BitwiseXor: bits((a, b) => a ^ b),
  BitShift: bitShift,
  Pow: pow,
  PRelu: prelu,
  Mod: mod,
  Cast: cast,
  Where: where,
};
