import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestTable, LARGEST_NUMBER } from "./digest-table.ts";

const digestOf = (number: number) => hash("sha256", String(number));
const hashOf = (digest: string) => Number.parseInt(digest.slice(0, 8), 16);

describe("digestTable", () => {
  it("finds each of many numbers, and none for a digest that was not put in", () => {
    for (const room of [0, 20_000]) {
      const table = digestTable(room);
      const digests = Array.from({ length: 20_000 }, (_, number) => digestOf(number));
      for (const [number, digest] of digests.entries()) table.put(hashOf(digest), number);
      const find = (digest: string) =>
        table.find(hashOf(digest), (number) => digests[number] === digest);
      expect(digests.every((digest, number) => find(digest) === number)).toBe(true);
      expect(Array.from({ length: 1000 }, (_, i) => find(digestOf(-1 - i)))).toEqual(
        Array(1000).fill(undefined),
      );
    }
  });

  it("tells numbers of one hash apart, also where they run over the end", () => {
    for (const hash of [0, 1, 0x7fffffff, 0xfffffffe, 0xffffffff]) {
      const table = digestTable();
      for (let number = 0; number < 100; number++) table.put(hash, number);
      for (let number = 0; number < 100; number++)
        expect(table.find(hash, (value) => value === number)).toBe(number);
      expect(table.find(hash, () => false)).toBeUndefined();
    }
  });

  it("asks only about numbers of the same hash", () => {
    const table = digestTable();
    table.put(5, 50);
    table.put(6, 60);
    const asked: number[] = [];
    table.find(6, (value) => asked.push(value) > 0);
    expect(asked).toEqual([60]);
  });

  it("puts a number in the place of the one that is meant, and beside it where none is", () => {
    const table = digestTable();
    table.put(7, 1);
    table.put(7, 2, (value) => value === 1);
    table.put(7, 3, (value) => value === 1);
    const found = [1, 2, 3].map((number) => table.find(7, (value) => value === number));
    expect(found).toEqual([undefined, 2, 3]);
  });

  it("holds 0 and the largest number", () => {
    const table = digestTable();
    table.put(0, 0);
    table.put(0xffffffff, LARGEST_NUMBER);
    expect(table.find(0, () => true)).toBe(0);
    expect(table.find(0xffffffff, () => true)).toBe(LARGEST_NUMBER);
  });
});
