import { describe, expect, it } from "vitest";
import type { CurvePoint } from "../learning-curves.ts";
import { plotSvg } from "../plot.ts";
import { learningFigure } from "./learning.ts";

const point = (epoch: number, auroc: number | null): CurvePoint => ({
  epoch,
  loss: 1 / (epoch + 10),
  valLoss: 0.5,
  metrics: { auroc },
});
const HEAD = [point(-1, 0.8), point(0, 0.9)];
const FROZEN = { name: "frozen", points: HEAD };
const TUNED = { name: "tuned", points: [...HEAD, point(1, 0.95), point(2, null), point(3, 0.97)] };

/** Points of each line in the picture: dashed ones are where a head stays. */
function linesOf(svg: string): { dashed: number[]; whole: number[] } {
  const paths = [
    ...svg.matchAll(/<path aria-label="[^"]*"[^>]*aria-roledescription="line mark"[^>]*>/g),
  ];
  const counted = paths.map(([path]) => ({
    isDashed: path.includes("stroke-dasharray"),
    count: (path.match(/ d="([^"]*)"/)?.[1]?.match(/[ML]/g) ?? []).length,
  }));
  const of = (wanted: boolean) =>
    counted.filter(({ isDashed }) => isDashed === wanted).map(({ count }) => count);
  return { dashed: of(true), whole: of(false) };
}

describe("learningFigure", () => {
  it("draws losses and the metric of each run by epoch, and onwards where a head alone stays", async () => {
    const { plot } = learningFigure([FROZEN, TUNED], "auroc");
    const { dashed, whole } = linesOf(await plotSvg(plot));
    expect(whole).toEqual([2, 5, 2, 5, 2, 4]);
    expect(dashed).toEqual([2, 2, 2]);
  });

  it("draws on, where a head stays, from the epoch that was kept", () => {
    const { plot } = learningFigure([{ ...FROZEN, keptHead: -1 }, TUNED], "auroc");
    const dashed = JSON.stringify(plot).matchAll(
      /\{"x":0,"y":([\d.]+),"name":"frozen"\},\{"x":3,"y":([\d.]+),/g,
    );
    expect([...dashed].map(([, from, to]) => [Number(from), Number(to)])).toEqual([
      [1 / 9, 1 / 9],
      [0.5, 0.5],
      [0.8, 0.8],
    ]);
  });

  it("gives the head's epochs one share of the axis, however many there are", () => {
    const many = Array.from({ length: 60 }, (_, index) => point(index - 59, 0.8));
    const { plot } = learningFigure([{ name: "many", points: [...many, point(1, 0.9)] }], "auroc");
    const places = JSON.stringify(plot).matchAll(/"x":(-?[\d.]+)/g);
    const least = Math.min(...[...places].map(([, x]) => Number(x)));
    expect(least).toBeCloseTo(-0.3 / 0.7, 6);
  });

  it("counts the epochs of heads from 1 where no run has others", async () => {
    const { plot, caption } = learningFigure(
      [FROZEN, { name: "longer", points: [point(-2, 0.7), ...HEAD] }],
      "auroc",
    );
    const places = [...JSON.stringify(plot).matchAll(/"x":(-?[\d.]+)/g)].map(([, x]) => Number(x));
    expect([Math.min(...places), Math.max(...places)]).toEqual([1, 3]);
    expect(linesOf(await plotSvg(plot)).dashed).toEqual([]);
    expect(caption).not.toContain("Left of 0");
  });

  it("tells every epoch in its table, a metric that is not defined as such", () => {
    const { table, caption } = learningFigure([FROZEN, TUNED], "auroc");
    expect(table.rows).toHaveLength(7);
    expect(table.rows[5]).toEqual(["tuned", 2, "0.0833", "0.5000", "not defined"]);
    expect(caption).toContain("frozen backbone");
    expect(
      learningFigure([{ name: "plain", points: [point(1, 0.9)] }], "auroc").caption,
    ).not.toContain("frozen");
  });
});
