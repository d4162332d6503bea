/** Loss and metric by epoch. */
import { BINARY_METRICS } from "./binary.ts";
import { plotSvg } from "./plot.ts";
import { COLOURS } from "./theme.ts";

export interface CurvePoint {
  readonly epoch: number;
  readonly loss: number;
  readonly valLoss: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** An SVG: losses on the left, the selecting metric on the right, the best epoch marked. */
export async function learningCurves(
  history: readonly CurvePoint[],
  metric: string,
): Promise<string> {
  const entry = BINARY_METRICS.find(({ key }) => key === metric);
  const title = entry?.title ?? metric;
  const losses = history.flatMap(({ epoch, loss, valLoss }) => [
    { epoch, series: "training", value: loss },
    ...(valLoss === null ? [] : [{ epoch, series: "validation", value: valLoss }]),
  ]);
  const values = history.flatMap(({ epoch, metrics }) => {
    const value = metrics[metric];
    return value === null || value === undefined ? [] : [{ epoch, value }];
  });
  const sign = entry?.better === "lower" ? -1 : 1;
  const best = values.reduce<(typeof values)[number] | undefined>(
    (top, point) => (!top || sign * point.value > sign * top.value ? point : top),
    undefined,
  );
  const epochs = {
    field: "epoch",
    type: "quantitative",
    title: "Epoch",
    axis: { tickMinStep: 1, format: "d" },
    scale: { nice: false, padding: 8 },
  } as const;
  const size = { width: 330, height: 220 };
  return plotSvg({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    hconcat: [
      {
        ...size,
        title: "Loss",
        data: { values: losses },
        mark: { type: "line", point: { size: 24 }, strokeWidth: 2 },
        encoding: {
          x: epochs,
          y: {
            field: "value",
            type: "quantitative",
            title: "Loss",
            scale: { zero: false, nice: true },
          },
          color: {
            field: "series",
            type: "nominal",
            title: null,
            legend: { orient: "top" },
            scale: { domain: ["training", "validation"], range: [COLOURS.first, COLOURS.second] },
          },
        },
      },
      {
        ...size,
        title: best
          ? `${title}, validation: best ${best.value.toFixed(4)} in epoch ${best.epoch}`
          : `${title}, validation`,
        layer: [
          {
            data: { values },
            mark: { type: "line", point: { size: 24 }, strokeWidth: 2, color: COLOURS.second },
            encoding: {
              x: epochs,
              y: {
                field: "value",
                type: "quantitative",
                title,
                scale: { zero: false, nice: true },
              },
            },
          },
          {
            data: { values: best ? [best] : [] },
            mark: { type: "point", size: 150, strokeWidth: 2, color: COLOURS.third, filled: false },
            encoding: { x: epochs, y: { field: "value", type: "quantitative" } },
          },
        ],
      },
    ],
  });
}
