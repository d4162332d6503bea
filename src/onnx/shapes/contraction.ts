/** Shape rules of matrix products. */
import { type Dimension, intOf, stringOf } from "../graph.ts";
import { broadcastShapes } from "./broadcast.ts";
import type { ShapeTable } from "./infer.ts";

export const CONTRACTION_SHAPES: ShapeTable = {
  MatMul: (context) => {
    const a = context.operand(0);
    const b = context.operand(1);
    const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    const inner = left.at(-1);
    if (typeof inner === "number" && typeof right.at(-2) === "number" && inner !== right.at(-2))
      return context.fail(`[${a.shape}] and [${b.shape}] do not multiply`);
    const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
    if (!batch) return context.fail(`batches of [${a.shape}] and [${b.shape}] do not broadcast`);
    const rows = a.shape.length === 1 ? [] : [left.at(-2)!];
    const columns = b.shape.length === 1 ? [] : [right.at(-1)!];
    return [{ type: a.type, shape: [...batch, ...rows, ...columns] }];
  },
  Gemm: (context) => {
    const { type, shape: a } = context.operand(0);
    const { shape: b } = context.operand(1);
    const isTransposedA = intOf(context.attributes, "transA", 0) === 1;
    const isTransposedB = intOf(context.attributes, "transB", 0) === 1;
    const inner = a[isTransposedA ? 0 : 1];
    const expected = b[isTransposedB ? 1 : 0];
    if (typeof inner === "number" && typeof expected === "number" && inner !== expected)
      return context.fail(`[${a}] and [${b}] do not multiply`);
    return [{ type, shape: [a[isTransposedA ? 1 : 0]!, b[isTransposedB ? 0 : 1]!] }];
  },
  Einsum: (context) => {
    const equation = stringOf(context.attributes, "equation", "").replaceAll(" ", "");
    const [left = "", right] = equation.split("->");
    const sizes = new Map<string, Dimension>();
    left.split(",").forEach((labels, index) => {
      const { shape } = context.operand(index);
      if (labels.includes(".") || labels.length !== shape.length)
        context.fail(`equation "${equation}" does not fit input ${index} [${shape}]`);
      for (const [axis, label] of [...labels].entries()) sizes.set(label, shape[axis]!);
    });
    const output = right ?? implicitOutput(left);
    return [
      {
        type: context.operand(0).type,
        shape: [...output].map(
          (label) => sizes.get(label) ?? context.fail(`no input has "${label}"`),
        ),
      },
    ];
  },
};

function implicitOutput(left: string): string {
  const labels = [...left.replaceAll(",", "")];
  return [...new Set(labels)]
    .filter((label) => labels.indexOf(label) === labels.lastIndexOf(label))
    .sort()
    .join("");
}
