/** Typed constructors of matrix products. */
import type { Value } from "../build.ts";
import { float, int, string } from "../graph.ts";

/** Batched matrix product with numpy's broadcasting. */
export function matMul(a: Value, b: Value): Value {
  return a.builder.node("MatMul", [a, b])[0]!;
}

export interface GemmAttributes {
  readonly transA?: boolean | undefined;
  readonly transB?: boolean | undefined;
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
}

/** `alpha * op(a) op(b) + beta * c` on matrices. */
export function gemm(a: Value, b: Value, c?: Value, options: GemmAttributes = {}): Value {
  return a.builder.node("Gemm", [a, b, c], {
    ...(options.transA ? { transA: int(1) } : {}),
    ...(options.transB ? { transB: int(1) } : {}),
    ...(options.alpha === undefined ? {} : { alpha: float(options.alpha) }),
    ...(options.beta === undefined ? {} : { beta: float(options.beta) }),
  })[0]!;
}

export function einsum(equation: string, ...operands: readonly [Value, ...Value[]]): Value {
  return operands[0].builder.node("Einsum", operands, { equation: string(equation) })[0]!;
}
