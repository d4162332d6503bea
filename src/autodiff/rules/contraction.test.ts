import { describe } from "vitest";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { operators as op, type Value } from "../../onnx/index.ts";
import { CONTRACTION_GRADIENTS } from "./contraction.ts";

const PRODUCTS: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["two matrices", [2, 3], [3, 4]],
  ["batches of equal size", [2, 2, 3], [2, 3, 2]],
  ["a batch by one matrix", [2, 3, 2], [2, 4]],
  ["a batch of batches by one matrix", [2, 2, 3, 2], [2, 3]],
  ["one matrix by a batch", [3, 2], [2, 2, 3]],
  ["batches that broadcast both ways", [2, 1, 2, 3], [3, 3, 2]],
  ["a batch of one by a batch", [1, 2, 3], [2, 3, 2]],
  ["a vector by a matrix", [3], [3, 2]],
  ["a matrix by a vector", [2, 3], [3]],
  ["two vectors", [3], [3]],
  ["a vector by a batch", [3], [2, 3, 2]],
  ["a batch by a vector", [2, 2, 3], [3]],
];

const GEMMS = [false, true].flatMap((transA) =>
  [false, true].flatMap((transB) =>
    [{}, { alpha: 0.5, beta: 2 }].map((factors) => ({ transA, transB, ...factors })),
  ),
);

const BIASES: readonly (readonly [string, readonly number[]])[] = [
  ["a row", [4]],
  ["a column", [2, 1]],
  ["a matrix", [2, 4]],
  ["a scalar", []],
  ["one element", [1, 1]],
];

const EINSUMS: readonly (readonly [string, string, ...(readonly number[])[]])[] = [
  ["attention scores", "bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2]],
  ["attention values", "bhqk,bhkd->bhqd", [2, 2, 3, 4], [2, 2, 4, 2]],
  ["heads apart in place", "bqhd,bkhd->bhqk", [2, 3, 2, 2], [2, 4, 2, 2]],
  ["a projection into heads", "bsd,dhk->bshk", [2, 3, 4], [4, 2, 2]],
  ["an outer product", "i,j->ij", [2], [3]],
  ["an inner product", "i,i->", [3], [3]],
  ["a label of one operand that is summed away", "ij,k->ik", [2, 3], [2]],
  ["labels of both operands that are summed away", "aij,bj->ai", [2, 2, 3], [3, 3]],
  ["a transposition", "abc->cab", [2, 3, 2]],
  ["a sum of one operand", "abc->b", [2, 3, 2]],
];

const CASES: readonly OperatorCase[] = [
  ...PRODUCTS.map(([title, a, b]) => ({
    operator: "MatMul",
    title,
    operands: [normal(a), normal(b)],
    build: (...[left, right]: Value[]) => op.matMul(left!, right!),
  })),
  ...GEMMS.map((options) => ({
    operator: "Gemm",
    title: JSON.stringify(options),
    operands: [
      normal(options.transA ? [3, 2] : [2, 3]),
      normal(options.transB ? [4, 3] : [3, 4]),
      normal([4]),
    ],
    build: (...[a, b, c]: Value[]) => op.gemm(a!, b!, c, options),
  })),
  ...BIASES.map(([title, dims]) => ({
    operator: "Gemm",
    title: `${title} added`,
    operands: [normal([2, 3]), normal([3, 4]), normal(dims)],
    build: (...[a, b, c]: Value[]) => op.gemm(a!, b!, c, { beta: 0.5 }),
  })),
  {
    operator: "Gemm",
    title: "nothing added",
    operands: [normal([2, 3]), normal([3, 4])],
    build: (a, b) => op.gemm(a, b, undefined, { alpha: -2 }),
  },
  ...EINSUMS.map(
    ([title, equation, ...dims]): OperatorCase => ({
      operator: "Einsum",
      title: `${title} (${equation})`,
      operands: dims.map(normal),
      build: (first, ...rest) => op.einsum(equation, first!, ...rest),
    }),
  ),
];

describe("gradients of matrix products", () => {
  checkGradients(CONTRACTION_GRADIENTS, CASES);
});
