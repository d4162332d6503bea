import { describe, expect, it } from "vitest";
import { rocPlot } from "./roc-plot.ts";

/** Ends of the straight pieces of the curve, as [1 - specificity, sensitivity], from its SVG path. */
function curveOf(svg: string): number[][] {
  const path = svg.match(/<path [^>]*d="([^"]+)" stroke="#0072b2"/)?.[1] ?? "";
  return [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [
    Number(x) / 300,
    1 - Number(y) / 300,
  ]);
}

const markOf = (svg: string) =>
  svg.match(/transform="translate\(([\d.]+),([\d.]+)\)"[^>]*stroke="#009e73"/)?.slice(1, 3);

describe("rocPlot", () => {
  it("draws the curve by its corners and writes the area above it", async () => {
    const svg = await rocPlot([1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.2, 0.1]);
    expect(curveOf(svg).map((point) => point.map((value) => Number(value.toFixed(3))))).toEqual([
      [0, 0],
      [0, 0.667],
      [0.333, 0.667],
      [0.333, 1],
      [1, 1],
    ]);
    expect(svg).toContain("area 0.8889");
    expect(markOf(svg)).toBeUndefined();
  });

  it("draws films of one score as a slanted piece", async () => {
    const svg = await rocPlot([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5]);
    expect(curveOf(svg)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(svg).toContain("area 0.5000");
  });

  it("marks the operating point: the films at or above the threshold", async () => {
    const labels = [1, 1, 0, 1, 0, 0];
    const scores = [0.9, 0.8, 0.7, 0.6, 0.2, 0.1];
    for (const [threshold, x, y] of [
      [0.7, 100, 100],
      [0.65, 100, 100],
      [0.95, 0, 300],
      [0, 300, 0],
    ] as const)
      expect(
        markOf(await rocPlot(labels, scores, threshold))?.map((value) => Math.round(Number(value))),
      ).toEqual([x, y]);
  });

  it("draws no curve without both classes", async () => {
    const svg = await rocPlot([1, 1], [0.2, 0.9], 0.5);
    expect(curveOf(svg)).toEqual([]);
    expect(svg).toContain("not defined");
  });
});
