import { describe, expect, it } from "vitest";
import { textColumn } from "./text-column.ts";

const columnOf = (texts: readonly string[]) => {
  const column = textColumn();
  for (const text of texts) column.push(text);
  return column;
};

const held = (texts: readonly string[]) => {
  const column = columnOf(texts);
  const before = texts.map((_, index) => column.at(index));
  column.trim();
  return [before, texts.map((_, index) => column.at(index))];
};

describe("a column of texts", () => {
  it.each([
    ["nothing but empty ones", ["", "", ""]],
    ["empty ones first", ["", "", "a", "bc"]],
    ["empty ones last and between", ["a", "", "bc", "", ""]],
    ["letters of two to four bytes", ["é", "€uro", "𝄞", "Prüfung", ""]],
    ["more than it began with", Array.from({ length: 3000 }, (_, i) => "x".repeat(i % 17))],
  ])("gives back %s, trimmed and not", (_, texts) => {
    expect(held(texts)).toEqual([texts, texts]);
  });

  it("goes on after it was trimmed", () => {
    const column = columnOf(["one", ""]);
    column.trim();
    column.push("three");
    expect([0, 1, 2].map(column.at)).toEqual(["one", "", "three"]);
  });

  it("compares by code points", () => {
    const column = columnOf(["a", "ab", "ab", "\u{ffff}", "\u{1d11e}"]);
    expect(column.compare(0, 1)).toBeLessThan(0);
    expect(column.compare(1, 2)).toBe(0);
    expect(column.compare(4, 3)).toBeGreaterThan(0);
  });
});
