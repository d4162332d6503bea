/** Matrix products and Einsum, summed term by term. */
import { floatOf, intOf, stringOf } from "../../../src/onnx/index.ts";
import {
  broadcastDims,
  broadcastOffset,
  eachIndex,
  numbersOf,
  offsetOf,
  tabulate,
} from "./array.ts";
import type { Kernel, KernelTable } from "./kernel.ts";

const matMul: Kernel = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)];
  const [x, y] = [numbersOf(a), numbersOf(b)];
  const left = a.dims.length === 1 ? [1, ...a.dims] : [...a.dims];
  const right = b.dims.length === 1 ? [...b.dims, 1] : [...b.dims];
  const [rows, inner, columns] = [left.at(-2)!, left.at(-1)!, right.at(-1)!];
  const batch = broadcastDims(left.slice(0, -2), right.slice(0, -2));
  const product = tabulate(a.type, [...batch, rows, columns], (index) => {
    const at = index.slice(0, -2);
    const [row, column] = [index.at(-2)!, index.at(-1)!];
    const start = broadcastOffset(left.slice(0, -2), at) * rows * inner;
    const other = broadcastOffset(right.slice(0, -2), at) * inner * columns;
    let total = 0;
    for (let k = 0; k < inner; k++)
      total += x[start + row * inner + k]! * y[other + k * columns + column]!;
    return total;
  });
  const dims = [
    ...batch,
    ...(a.dims.length === 1 ? [] : [rows]),
    ...(b.dims.length === 1 ? [] : [columns]),
  ];
  return [{ ...product, dims }];
};

const gemm: Kernel = (operation) => {
  const { attributes } = operation;
  const [a, b] = [operation.input(0), operation.input(1)];
  const c = operation.inputs[2];
  const [x, y] = [numbersOf(a), numbersOf(b)];
  const z = c && numbersOf(c);
  const isA = intOf(attributes, "transA", 0) === 1;
  const isB = intOf(attributes, "transB", 0) === 1;
  const alpha = floatOf(attributes, "alpha", 1);
  const beta = floatOf(attributes, "beta", 1);
  const [rows, inner] = isA ? [a.dims[1]!, a.dims[0]!] : [a.dims[0]!, a.dims[1]!];
  const columns = isB ? b.dims[0]! : b.dims[1]!;
  const result = tabulate(a.type, [rows, columns], (index) => {
    const [row, column] = [index[0]!, index[1]!];
    let total = 0;
    for (let k = 0; k < inner; k++)
      total +=
        x[offsetOf(a.dims, isA ? [k, row] : [row, k])]! *
        y[offsetOf(b.dims, isB ? [column, k] : [k, column])]!;
    const added = c && z ? beta * z[broadcastOffset(c.dims, index)]! : 0;
    return alpha * total + added;
  });
  return [result];
};

const einsum: Kernel = (operation) => {
  const equation = stringOf(operation.attributes, "equation", "").replaceAll(" ", "");
  const [left = "", given] = equation.split("->");
  const terms = left.split(",");
  const operands = terms.map((_, index) => operation.input(index));
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    for (const [axis, label] of [...term].entries()) sizes.set(label, operands[i]!.dims[axis]!);
  });
  const once = [...sizes.keys()].filter(
    (label) => [...left].filter((other) => other === label).length === 1,
  );
  const output = [...(given ?? once.sort().join(""))];
  const summed = [...sizes.keys()].filter((label) => !output.includes(label));
  const values = operands.map(numbersOf);
  const result = tabulate(
    operands[0]!.type,
    output.map((label) => sizes.get(label)!),
    (index) => {
      let total = 0;
      eachIndex(
        summed.map((label) => sizes.get(label)!),
        (inner) => {
          const at = new Map([
            ...output.map((label, i): [string, number] => [label, index[i]!]),
            ...summed.map((label, i): [string, number] => [label, inner[i]!]),
          ]);
          total += terms.reduce((product, term, i) => {
            const place = [...term].map((label) => at.get(label)!);
            return product * values[i]![offsetOf(operands[i]!.dims, place)]!;
          }, 1);
        },
      );
      return total;
    },
  );
  return [result];
};

export const CONTRACTION_KERNELS: KernelTable = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
