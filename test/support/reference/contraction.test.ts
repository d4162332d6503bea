import { describe } from "vitest";
import { operators as op, type Value } from "../../../src/onnx/index.ts";
import { normal, type OperatorCase } from "../operator-case.ts";
import { checkAgainstRuntime } from "./against-runtime.ts";
import { CONTRACTION_KERNELS } from "./contraction.ts";

const PRODUCTS: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["matrices", [2, 3], [3, 4]],
  ["batches that broadcast both ways", [2, 1, 2, 3], [3, 3, 2]],
  ["a vector by a batch", [3], [2, 3, 2]],
  ["a matrix by a vector", [2, 3], [3]],
  ["vectors", [3], [3]],
];

const EINSUMS: readonly (readonly [string, ...(readonly number[])[]])[] = [
  ["bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2]],
  ["ij,k->ik", [2, 3], [2]],
  ["ij,jk", [2, 3], [3, 2]],
  ["abc->ca", [2, 3, 2]],
  ["i,i->", [3], [3]],
];

const CASES: readonly OperatorCase[] = [
  ...PRODUCTS.map(([title, a, b]) => ({
    operator: "MatMul",
    title,
    operands: [normal(a), normal(b)],
    build: (...[left, right]: Value[]) => op.matMul(left!, right!),
  })),
  {
    operator: "Gemm",
    title: "both transposed, scaled, a row added",
    operands: [normal([3, 2]), normal([4, 3]), normal([4])],
    build: (a, b, c) => op.gemm(a!, b!, c, { transA: true, transB: true, alpha: 0.5, beta: -2 }),
  },
  {
    operator: "Gemm",
    title: "plain, a column added",
    operands: [normal([2, 3]), normal([3, 4]), normal([2, 1])],
    build: (a, b, c) => op.gemm(a!, b!, c),
  },
  ...EINSUMS.map(
    ([equation, ...dims]): OperatorCase => ({
      operator: "Einsum",
      title: equation,
      operands: dims.map(normal),
      build: (first, ...rest) => op.einsum(equation, first!, ...rest),
    }),
  ),
];

describe("contraction kernels", () => {
  checkAgainstRuntime(CONTRACTION_KERNELS, CASES);
});
