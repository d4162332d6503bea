import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { superiority } from "./audit-differences.ts";
import { filmHash, HASH_GRID, NEAR_BITS, nearGroups } from "./near-duplicates.ts";

const random = randomStream(1, "near-duplicates");
const randomHash = () => Uint32Array.from({ length: HASH_GRID }, () => random.integer(2 ** 32));
const withFlips = (hash: Uint32Array, bits: readonly number[]) => {
  const copy = hash.slice();
  for (const bit of bits) copy[bit >> 5]! ^= 1 << (bit & 31);
  return copy;
};
const bits = (count: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: 32 * HASH_GRID - 1 }), {
    minLength: count,
    maxLength: count,
  });

describe("nearGroups", () => {
  it("finds every pair up to the limit, wherever the bits differ, and none beyond it", () => {
    const others = Array.from({ length: 50 }, randomHash);
    const distances = fc.integer({ min: 0, max: NEAR_BITS + 20 });
    fc.assert(
      fc.property(
        distances.chain((count) => bits(count)),
        (flips) => {
          const hashes = [...others, withFlips(others[7]!, flips)];
          expect(nearGroups(hashes)).toEqual(
            flips.length <= NEAR_BITS ? [{ members: [7, 50], distance: flips.length }] : [],
          );
        },
      ),
    );
  });

  it("joins through a film between, and leaves films with nothing on them alone", () => {
    const [a, b] = [randomHash(), randomHash()];
    const step = (hash: Uint32Array, start: number) =>
      withFlips(
        hash,
        Array.from({ length: 20 }, (_, i) => start + i),
      );
    const hashes = [null, b, a, null, step(a, 0), step(step(a, 0), 100)];
    expect(nearGroups(hashes)).toEqual([{ members: [2, 4, 5], distance: 20 }]);
  });

  it("takes a thousand copies of one film in its stride", () => {
    const hash = randomHash();
    const groups = nearGroups(Array.from({ length: 1000 }, () => hash));
    expect(groups.map(({ members }) => members.length)).toEqual([1000]);
  });
});

describe("filmHash", () => {
  it("says of neighbouring cells which is brighter", () => {
    const cells = new Float64Array(HASH_GRID ** 2).fill(5);
    cells[0] = 9;
    expect(filmHash(cells)).toEqual(new Uint32Array(HASH_GRID));
    cells[1] = 10;
    const hash = filmHash(cells);
    expect(hash[0]).toBe(1 << 16);
    cells[HASH_GRID] = 11;
    expect(filmHash(cells)[0]).toBe((1 << 16) | 1);
  });

  it("does not change with brightness and contrast", () => {
    const cells = Float64Array.from({ length: HASH_GRID ** 2 }, () => random.uniform());
    expect(filmHash(cells.map((value) => 3 * value + 7))).toEqual(filmHash(cells));
  });
});

describe("superiority", () => {
  it("equals the share of pairs in which the second is larger, ties counting half", () => {
    const values = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, values, (first, second) => {
        const pairs = first.flatMap((a) => second.map((b) => (b > a ? 1 : b === a ? 0.5 : 0)));
        const share = pairs.reduce<number>((sum, value) => sum + value, 0) / pairs.length;
        expect(superiority(first, second)).toBeCloseTo(share, 12);
      }),
    );
  });
});
