import { describe, expect, it } from "vitest";
import { plotSvg } from "../plot.ts";
import { confusionFigure } from "./confusion.ts";
import { curvePlot, thinned } from "./curves.ts";
import { decisionCurveFigure, riskCoverageFigure } from "./decision.ts";
import type { Figure } from "./figure.ts";
import { corruptionFigure, forestFigure } from "./forest.ts";
import { histogramFigure } from "./histogram.ts";
import { reliabilityFigure } from "./reliability.ts";
import { precisionRecallFigure, rocFigure } from "./roc.ts";

/** Ends of the straight pieces of a curve, as shares of the axes, from its SVG path. */
function curveOf(svg: string, colour = "#0072b2"): number[][] {
  const path = svg.match(new RegExp(`<path [^>]*d="([^"]+)" stroke="${colour}"`))?.[1] ?? "";
  return [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) =>
    [Number(x) / 300, 1 - Number(y) / 300].map((value) => Number(value.toFixed(3))),
  );
}

const markOf = (svg: string) =>
  svg
    .match(/transform="translate\(([\d.]+),([\d.]+)\)"[^>]*stroke="#009e73"/)
    ?.slice(1, 3)
    .map((value) => Math.round(Number(value)));

const drawn = (figure: Figure) => plotSvg(figure.plot);

/** Everything that is written in a picture. */
const textOf = (svg: string): string =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text).join("|");

const LABELS = [1, 1, 0, 1, 0, 0];
const SCORES = [0.9, 0.8, 0.7, 0.6, 0.2, 0.1];
const CASE = { name: "model", labels: LABELS, scores: SCORES };

describe("rocFigure", () => {
  it("draws the curve by its points and writes the area and its interval above it", async () => {
    const svg = await drawn(rocFigure([{ ...CASE, auroc: { low: 0.5, high: 1 } }]));
    const corners = [
      [0, 0],
      [0, 0.667],
      [0.333, 0.667],
      [0.333, 1],
      [1, 1],
    ];
    const curve = curveOf(svg);
    for (const corner of corners) expect(curve).toContainEqual(corner);
    for (const [x, y] of curve) expect(y === 0.667 || x === 0 || x === 0.333 || y === 1).toBe(true);
    expect(textOf(svg)).toContain("ROC, area 0.8889 (0.500 – 1.000)");
    expect(markOf(svg)).toBeUndefined();
  });

  it("draws films of one score as a slanted piece", async () => {
    const tied = { name: "tied", labels: [1, 0, 1, 0], scores: [0.5, 0.5, 0.5, 0.5] };
    const svg = await drawn(rocFigure([tied]));
    expect(curveOf(svg)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(svg).toContain("area 0.5000");
  });

  it.each([
    [0.7, 100, 100],
    [0.65, 100, 100],
    [0.95, 0, 300],
    [0, 300, 0],
  ])("marks the films at or above a threshold of %d", async (threshold, x, y) => {
    const figure = rocFigure([{ ...CASE, threshold }]);
    expect(markOf(await drawn(figure))).toEqual([x, y]);
  });

  it("says in its table what the curve says", () => {
    const { table } = rocFigure([{ ...CASE, threshold: 0.65 }]);
    expect(table.rows).toContainEqual([
      "0.6500 (operating point)",
      "0.667",
      "0.667",
      "0.667",
      "0.667",
    ]);
    expect(table.rows[0]).toEqual(["0.05", "1.000", "0.000", "0.500", "not defined"]);
  });

  it("draws no curve without both classes, and says so", async () => {
    const figure = rocFigure([{ name: "one", labels: [1, 1], scores: [0.2, 0.9], threshold: 0.5 }]);
    const svg = await drawn(figure);
    expect(curveOf(svg)).toEqual([]);
    expect(svg).toContain("not defined");
    expect(svg).not.toContain("NaN");
  });

  it("lays several models over each other in colours of their own, and names them", async () => {
    const other = { name: "worse", labels: LABELS, scores: SCORES.map((score) => 1 - score) };
    const svg = await drawn(rocFigure([CASE, other]));
    expect(curveOf(svg, "#d55e00").length).toBeGreaterThan(2);
    expect(textOf(svg)).toMatch(/model: AUROC 0\.889.*worse: AUROC 0\.111/);
  });
});

describe("precisionRecallFigure", () => {
  it("draws steps whose area is the average precision", async () => {
    const figure = precisionRecallFigure([CASE]);
    const curve = curveOf(await drawn(figure));
    let area = 0;
    for (let i = 1; i < curve.length; i++)
      area += (curve[i]![0]! - curve[i - 1]![0]!) * curve[i]![1]!;
    expect(area).toBeCloseTo((1 + 1 + 0.75) / 3, 2);
    expect(figure.table.rows).toEqual([["model", "0.917", ""]]);
  });

  it("draws what guessing reaches for each share of positives that there is", () => {
    const rare = {
      ...CASE,
      name: "rare",
      labels: CASE.labels.map((_, index) => Number(index === 0)),
    };
    const share = (labels: readonly number[]) =>
      `${((100 * labels.reduce((a, b) => a + b, 0)) / labels.length).toFixed(1)} %`;
    expect(precisionRecallFigure([CASE, { ...CASE, name: "same" }]).caption).toContain(
      `The dashed line is what guessing reaches: the share of positives here, ${share(CASE.labels)}.`,
    );
    expect(precisionRecallFigure([CASE, rare]).caption).toContain(
      `the share of positives of each: ${share(CASE.labels)}, ${share(rare.labels)}.`,
    );
  });

  it("draws nothing without positives", async () => {
    const none = { name: "none", labels: [0, 0], scores: [0.1, 0.2], threshold: 0.5 };
    const svg = await drawn(precisionRecallFigure([none]));
    expect(curveOf(svg)).toEqual([]);
    expect(svg).not.toContain("NaN");
  });
});

describe("curvePlot", () => {
  it("keeps a curve of 200,000 points small, and its ends", () => {
    const points = Array.from({ length: 200_001 }, (_, i) => ({
      x: i / 200_000,
      y: (i / 200_000) ** 2,
    }));
    const few = thinned(points);
    expect(few.length).toBeLessThan(2000);
    expect([few[0], few.at(-1)]).toEqual([points[0], points.at(-1)]);
  });

  it("draws the band from low to high", async () => {
    const band = [
      { x: 0, low: 0.25, high: 0.5 },
      { x: 1, low: 0.5, high: 1 },
    ];
    const svg = await plotSvg(
      curvePlot([{ name: "a", points: [], band }], { title: "t", x: "x", y: "y" }),
    );
    expect(svg).toMatch(/d="M0,225L300,150L300,0L0,150Z"/);
  });
});

const UNKNOWN = { low: null, high: null };

describe("the other figures", () => {
  const bin = { from: 0, to: 0.1, n: 0, meanProbability: null, observed: null, ...UNKNOWN };
  const full = { from: 0.9, to: 1, n: 7, meanProbability: 0.95, observed: 1, low: 0.65, high: 1 };
  const figures: Record<string, [Figure, RegExp, unknown[]]> = {
    reliability: [
      reliabilityFigure([{ name: "m", bins: [bin, full] }]),
      /Probability said/,
      ["0.90 – 1.00", 7, "0.950", "1.000", "0.650 – 1.000"],
    ],
    calibration: [
      reliabilityFigure(
        [
          { name: "before", bins: [full] },
          { name: "after", bins: [full] },
        ],
        { name: "calibration", title: "Before and after" },
      ),
      /before.*after/,
      ["before", "0.90 – 1.00", 7, "0.950", "1.000", "0.650 – 1.000"],
    ],
    confusion: [
      confusionFigure({
        labels: ["NORMAL", "PNEUMONIA"],
        matrix: [
          [8, 2],
          [0, 0],
        ],
      }),
      /80\.0 %.*20\.0 %/,
      ["NORMAL", 8, 2],
    ],
    histogram: [
      histogramFigure(
        [
          { name: "NORMAL", scores: [0, 0.02] },
          { name: "PNEUMONIA", scores: [1] },
        ],
        { positive: "PNEUMONIA", threshold: 0.5 },
      ),
      /Probability of PNEUMONIA/,
      ["0.96 – 1.00", 0, 1],
    ],
    decision: [
      decisionCurveFigure([{ name: "m", points: [{ threshold: 0.2, model: 0.3, all: 0.25 }] }]),
      /Net benefit/,
      ["20 %", "0.3000", "0.2500"],
    ],
    coverage: [
      riskCoverageFigure([{ name: "m", points: [{ coverage: 0.5, risk: 0.01 }] }]),
      /Share of films decided/,
      ["50 %", "1.00 %"],
    ],
    forest: [
      forestFigure(
        [
          {
            column: "site",
            metric: "AUROC",
            all: 0.7,
            rows: [
              { group: "north", n: 9, value: 0.5, low: 0.2, high: 0.8 },
              { group: "none", n: 1, value: null, ...UNKNOWN, reason: "one class" },
            ],
          },
          {
            column: "kind",
            metric: "Sensitivity",
            all: 0.9,
            rows: [{ group: "virus", n: 9, value: 0.4, ...UNKNOWN, isWorst: true }],
          },
        ],
        ["The worst is virus."],
      ),
      /(?=.*north \(9\))(?=.*site)(?=.*AUROC)(?=.*virus \(9\))(?=.*kind)(?=.*Sensitivity)/,
      ["site", "none", 1, "AUROC", "not defined: one class", ""],
    ],
    corruption: [
      corruptionFigure({
        films: 5,
        clean: { corruption: "none", severity: 0, balancedAccuracy: 0.9, auroc: null },
        corruptions: [{ corruption: "blur", severity: 3, balancedAccuracy: 0.6, auroc: null }],
      }),
      /blur.*Balanced accuracy by corruption/,
      ["blur", 3, "0.600", "not defined"],
    ],
  };

  it.each(Object.entries(figures))("draw and tabulate %s", async (_, [figure, words, row]) => {
    const svg = await drawn(figure);
    expect(textOf(svg)).toMatch(words);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(figure.table.rows).toContainEqual(row);
    for (const cells of figure.table.rows) expect(cells).toHaveLength(figure.table.head.length);
  });
});
