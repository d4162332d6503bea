/** Elementwise operators of one operand, in double precision. */
import { type DataType, floatOf, stringOf } from "../../../src/onnx/index.ts";
import { type NdArray, numbersOf, tabulate } from "./array.ts";
import type { Kernel, KernelTable, Operation } from "./kernel.ts";

type Derive = (operation: Operation) => (x: number) => number;

const unaryWith =
  (derive: Derive): Kernel =>
  (operation) => {
    const x = operation.input(0);
    const compute = derive(operation);
    const values = numbersOf(x);
    return [tabulated(x.type, x.dims, (offset) => compute(values[offset]!))];
  };
const unary = (compute: (x: number) => number): Kernel => unaryWith(() => compute);

function tabulated(
  type: DataType,
  dims: readonly number[],
  compute: (offset: number) => number,
): NdArray {
  let offset = 0;
  return tabulate(type, dims, () => compute(offset++));
}

const predicate =
  (test: (x: number) => boolean): Kernel =>
  (operation) => {
    const x = operation.input(0);
    const values = numbersOf(x);
    return [tabulated("bool", x.dims, (offset) => Number(test(values[offset]!)))];
  };

/** erf by its all-positive series 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!. Source: DLMF 7.6.2. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
const normalCdf = (x: number): number => 0.5 * (1 + erf(x * Math.SQRT1_2));

/** To the nearest whole number, halves to the even one. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const share = x - below;
  if (share !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

export const ELEMENTWISE_KERNELS: KernelTable = {
  Abs: unary(Math.abs),
  Neg: unary((x) => -x),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Erf: unary(erf),
  Relu: unary((x) => Math.max(0, x)),
  Sigmoid: unary(sigmoid),
  Tanh: unary(Math.tanh),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundHalfEven),
  Not: unary((x) => (x === 0 ? 1 : 0)),
  HardSwish: unary((x) => x * clamp(x / 6 + 0.5, 0, 1)),
  HardSigmoid: unaryWith(({ attributes }) => {
    const alpha = floatOf(attributes, "alpha", 0.2);
    const beta = floatOf(attributes, "beta", 0.5);
    return (x) => clamp(alpha * x + beta, 0, 1);
  }),
  LeakyRelu: unaryWith(({ attributes }) => {
    const alpha = floatOf(attributes, "alpha", 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  }),
  Elu: unaryWith(({ attributes }) => {
    const alpha = floatOf(attributes, "alpha", 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  }),
  Gelu: unaryWith(({ attributes }) => {
    if (stringOf(attributes, "approximate", "none") === "none") return (x) => x * normalCdf(x);
    const scale = Math.sqrt(2 / Math.PI);
    return (x) => 0.5 * x * (1 + Math.tanh(scale * (x + 0.044715 * x ** 3)));
  }),
  Clip: unaryWith((operation) => {
    const low = operation.numbers(1)?.[0] ?? Number.NEGATIVE_INFINITY;
    const high = operation.numbers(2)?.[0] ?? Number.POSITIVE_INFINITY;
    return (x) => clamp(x, low, high);
  }),
  IsNaN: predicate(Number.isNaN),
  IsInf: predicate((x) => Math.abs(x) === Number.POSITIVE_INFINITY),
  Identity: (operation) => [operation.input(0)],
  // At inference nothing is dropped, and the mask says so.
  Dropout: (operation) => {
    const x = operation.input(0);
    return [x, tabulate("bool", x.dims, () => 1)];
  },
};
