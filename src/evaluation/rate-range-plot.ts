/** The loss over the learning rate. */
import { plotSvg } from "./plot.ts";
import { COLOURS } from "./theme.ts";

export interface RateRangePoint {
  readonly lr: number;
  readonly loss: number;
  readonly smoothed: number;
}

/** An SVG: each step's loss faint, the average over it, the suggested rate as a line. */
export async function rateRangePlot(
  points: readonly RateRangePoint[],
  suggestion: number | null,
): Promise<string> {
  const rate = {
    field: "lr",
    type: "quantitative",
    title: "Learning rate",
    scale: { type: "log" },
    axis: { format: ".0e", tickCount: 6 },
  } as const;
  // A loss that is lost would flatten the rest.
  const first = points[0]?.smoothed ?? 1;
  const shown = points.map((point) => ({ ...point, loss: Math.min(point.loss, 2 * first) }));
  return plotSvg({
    width: 460,
    height: 260,
    title:
      suggestion === null ? "No rate to suggest" : `Suggested rate ${suggestion.toPrecision(3)}`,
    layer: [
      {
        data: { values: [...shown] },
        mark: { type: "point", size: 12, color: COLOURS.quiet, opacity: 0.5 },
        encoding: {
          x: rate,
          y: { field: "loss", type: "quantitative", title: "Loss", scale: { zero: false } },
        },
      },
      {
        data: { values: shown.filter(({ smoothed }) => smoothed <= 2 * first) },
        mark: { type: "line", color: COLOURS.first, strokeWidth: 2 },
        encoding: { x: rate, y: { field: "smoothed", type: "quantitative" } },
      },
      {
        data: { values: suggestion === null ? [] : [{ lr: suggestion }] },
        mark: { type: "rule", color: COLOURS.second, strokeWidth: 2, strokeDash: [4, 3] },
        encoding: { x: rate },
      },
    ],
  });
}
