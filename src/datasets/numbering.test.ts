import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashPath } from "../random.ts";
import { compareBytes } from "./dataset.ts";
import { lastPlaces, numbered, numbersBelow } from "./numbering.ts";
import { sortedByText } from "./text-order.ts";

const texts = fc.array(fc.option(fc.string({ maxLength: 2 }), { nil: undefined }));

describe("numbered", () => {
  it("numbers texts in the order of their first places, as a map would", () => {
    fc.assert(
      fc.property(texts, fc.string({ maxLength: 2 }), (list, other) => {
        const known = [...new Set(list.filter((text) => text !== undefined))];
        const { numbers, firsts, numberOf } = numbered(list.length, (place) => list[place]);
        expect([...numbers]).toEqual(list.map((text) => known.indexOf(text!)));
        expect([...firsts]).toEqual(known.map((text) => list.indexOf(text)));
        expect(numberOf(other)).toBe(known.indexOf(other));
      }),
    );
  });

  it("tells texts of equal hashes apart", () => {
    const [one, other] = ["person37699", "person99515"] as const;
    expect(hashPath(one)).toBe(hashPath(other));
    const list = [one, other];
    const { numbers, numberOf } = numbered(2, (place) => list[place]);
    expect([...numbers]).toEqual([0, 1]);
    expect([numberOf(one), numberOf(other)]).toEqual([0, 1]);
    expect(numbered(1, () => one).numberOf(other)).toBe(-1);
  });
});

describe("lastPlaces", () => {
  it("finds each text's last place in another list", () => {
    fc.assert(
      fc.property(texts, texts, (list, other) => {
        const numbering = numbered(list.length, (place) => list[place]);
        const places = lastPlaces(numbering, other.length, (place) => other[place]);
        expect([...places]).toEqual(
          [...numbering.firsts].map((first) => other.lastIndexOf(list[first])),
        );
      }),
    );
  });
});

describe("sortedByText", () => {
  it("sorts places by the bytes of their texts and keeps equal ones as they are", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2, unit: "grapheme" })), (list) => {
        const places = numbersBelow(list.length);
        expect([...sortedByText(places, (place) => list[place]!)]).toEqual(
          [...places].sort((a, b) => compareBytes(list[a]!, list[b]!)),
        );
      }),
    );
  });
});
