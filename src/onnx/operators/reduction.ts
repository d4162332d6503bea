/** Typed constructors of reductions. Without `axes` everything is reduced. */
import type { Value } from "../build.ts";
import { int } from "../graph.ts";
import { int64 } from "../tensor.ts";

export interface ReductionOptions {
  readonly axes?: readonly number[] | undefined;
  readonly keepsDims?: boolean | undefined;
}

function reduction(operator: string) {
  return (x: Value, { axes, keepsDims = true }: ReductionOptions = {}): Value =>
    x.builder.node(operator, [x, axes ? x.builder.integers(axes) : undefined], {
      keepdims: int(keepsDims ? 1 : 0),
    })[0]!;
}

export const reduceMean = reduction("ReduceMean");
export const reduceSum = reduction("ReduceSum");
export const reduceMax = reduction("ReduceMax");
export const reduceMin = reduction("ReduceMin");
export const reduceL2 = reduction("ReduceL2");
export const reduceSumSquare = reduction("ReduceSumSquare");

/** Sums of everything up to and including each place along one axis. */
export function cumSum(x: Value, axis: number): Value {
  return x.builder.node("CumSum", [x, x.builder.constant(int64([], [axis]))])[0]!;
}
