/** The all-close matcher: says which element is worst, where it is and by how much. */
import { expect } from "vitest";

export interface Tolerance {
  /** Of the largest expected magnitude of the whole array. */
  readonly ofLargest?: number;
  /** Of each expected element. */
  readonly relative?: number;
  readonly absolute?: number;
}

export interface Numbers {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** What is wrong, in one line, or undefined where every element is close enough. */
export function mismatch(
  actual: Numbers,
  expected: Numbers,
  { ofLargest = 0, relative = 0, absolute = 0 }: Tolerance,
): string | undefined {
  if (`${actual.dims}` !== `${expected.dims}`)
    return `shape [${actual.dims}] instead of [${expected.dims}]`;
  const want = Array.from(expected.data, Number);
  const got = Array.from(actual.data, Number);
  const largest = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  let worst = -1;
  let excess = 0;
  for (const [i, value] of want.entries()) {
    const allowed = absolute + ofLargest * largest + relative * Math.abs(value);
    const off = got[i] === value ? 0 : Math.abs(got[i]! - value);
    const ratio = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off === 0 ? 0 : off / allowed;
    if (ratio > 1 && ratio > excess) [worst, excess] = [i, ratio];
  }
  if (worst < 0) return undefined;
  const error = Math.abs(got[worst]! - want[worst]!);
  const index = indexOf(worst, expected.dims);
  return (
    `element [${index}] of [${expected.dims}] is ${got[worst]} instead of ${want[worst]}: ` +
    `absolute error ${error.toExponential(2)}, relative ${(error / Math.abs(want[worst]!)).toExponential(2)}, ` +
    `${excess.toPrecision(3)} times what is allowed`
  );
}

function indexOf(offset: number, dims: readonly number[]): number[] {
  const index: number[] = [];
  let rest = offset;
  for (const size of [...dims].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** Fails the test, naming `what` and the worst element, unless all elements are within tolerance. */
export function expectClose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance,
  what: string,
): void {
  const problem = mismatch(actual, expected, tolerance);
  expect(problem && `${what}: ${problem}`).toBeUndefined();
}
