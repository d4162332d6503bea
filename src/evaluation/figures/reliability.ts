/** How often probabilities come true. */
import type { Cell } from "../../page.ts";
import type { ReliabilityBin } from "../curves/reliability.ts";
import { CATEGORY, COLOURS } from "../theme.ts";
import { type Figure, SIDE, shortened } from "./figure.ts";

const STRIP = 60;

/** The reliability diagram, and below it how many films lie in each bin. */
export function reliabilityFigure(
  series: readonly { readonly name: string; readonly bins: readonly ReliabilityBin[] }[],
  {
    name = "reliability",
    title = "Calibration",
    seriesTitle = "model",
  }: { name?: string; title?: string; seriesTitle?: string } = {},
): Figure {
  const filled = series.flatMap(({ name: of, bins }) =>
    bins.filter(({ n }) => n > 0).map((bin) => ({ ...bin, name: shortened(of), size: bin.n })),
  );
  const names = series.map(({ name: of }) => shortened(of));
  const color = {
    field: "name",
    type: "nominal",
    title: null,
    scale: { domain: names, range: names.map((_, index) => CATEGORY[index % CATEGORY.length]!) },
    legend: series.length === 1 ? null : { orient: "bottom", columns: 1, labelLimit: SIDE },
  } as const;
  const unit = { domain: [0, 1] };
  const x = {
    field: "meanProbability",
    type: "quantitative",
    title: "Probability said",
    scale: unit,
  } as const;
  const y = {
    field: "observed",
    type: "quantitative",
    title: "Share that is true",
    scale: unit,
  } as const;
  return {
    name,
    title,
    caption:
      "Films are put into bins by the probability that they were given. A point on the dashed line keeps its word: of the films given 70 %, 70 % are positive. Below it the model claims too much, above it too little. Lines are 95 % intervals; the bars say how many films stand behind a point.",
    plot: {
      spacing: 8,
      vconcat: [
        {
          width: SIDE,
          height: SIDE,
          title: { text: title },
          layer: [
            {
              data: {
                values: [
                  { meanProbability: 0, observed: 0 },
                  { meanProbability: 1, observed: 1 },
                ],
              },
              mark: { type: "line", color: COLOURS.quiet, strokeDash: [4, 4], strokeWidth: 1 },
              encoding: { x, y },
            },
            {
              data: { values: filled.filter(({ low }) => low !== null) },
              mark: { type: "rule", strokeWidth: 1.5, opacity: 0.6 },
              encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
            },
            {
              data: { values: filled },
              mark: { type: "line", strokeWidth: 2, point: { size: 40, filled: true } },
              encoding: { x, y, color },
            },
          ],
        },
        {
          width: SIDE,
          height: STRIP,
          data: { values: filled.map((bin) => ({ ...bin, ...barOf(bin) })) },
          mark: { type: "rect", opacity: series.length === 1 ? 0.8 : 0.5 },
          encoding: {
            x: {
              field: "from",
              type: "quantitative",
              title: null,
              scale: unit,
              axis: { labels: false, ticks: false },
            },
            x2: { field: "to" },
            y: {
              field: "n",
              type: "quantitative",
              title: "Films",
              stack: null,
              axis: { tickCount: 2 },
              scale: { zero: true },
            },
            y2: { datum: 0 },
            color,
          },
        },
      ],
    },
    table: {
      head: [
        ...(series.length === 1 ? [] : [seriesTitle]),
        "probability",
        "films",
        "mean said",
        "share true",
        "95 % interval",
      ],
      rows: filled.map((bin): Cell[] => [
        ...(series.length === 1 ? [] : [bin.name]),
        `${bin.from.toFixed(2)} – ${bin.to.toFixed(2)}`,
        bin.n,
        bin.meanProbability!.toFixed(3),
        bin.observed!.toFixed(3),
        bin.low === null ? "" : `${bin.low.toFixed(3)} – ${bin.high!.toFixed(3)}`,
      ]),
    },
  };
}

/** With a gap to the next bar. */
const barOf = ({ from, to }: ReliabilityBin) => {
  const gap = Math.min(0.004, (to - from) / 4);
  return { from: from + gap, to: to - gap };
};
