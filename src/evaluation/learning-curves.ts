/** Loss and metric by epoch. */
import { BINARY_METRICS } from "./binary.ts";
import { type PlotPart, plotSvg } from "./plot.ts";
import { COLOURS } from "./theme.ts";

export interface CurvePoint {
  /** Up to 0 those of a head on its own, before the network. */
  readonly epoch: number;
  /** What the title calls it; "epoch N" by default. */
  readonly name?: string;
  readonly loss: number;
  readonly valLoss: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
}

/**
 * Epochs of histories that have no more than a head's, which end at 0, count from 1; of others they
 * stay as they are.
 */
export function withHeadsFromOne(
  histories: readonly (readonly CurvePoint[])[],
): readonly (readonly CurvePoint[])[] {
  if (histories.some((points) => points.some(({ epoch }) => epoch > 0))) return histories;
  return histories.map((points) =>
    points.map((point) => ({ ...point, epoch: point.epoch + 1 - points[0]!.epoch })),
  );
}

/** An SVG: losses on the left, the selecting metric, where it is defined, on the right, the best epoch marked. */
export async function learningCurves(
  points: readonly CurvePoint[],
  metric: string,
): Promise<string> {
  const [history] = withHeadsFromOne([points]) as [readonly CurvePoint[]];
  const entry = BINARY_METRICS.find(({ key }) => key === metric);
  const title = entry?.title ?? metric;
  const losses = history.flatMap(({ epoch, loss, valLoss }) => [
    { epoch, series: "training", value: loss },
    ...(valLoss === null ? [] : [{ epoch, series: "validation", value: valLoss }]),
  ]);
  const values = history.flatMap(({ epoch, name = `epoch ${epoch}`, metrics }) => {
    const value = metrics[metric];
    return value === null || value === undefined ? [] : [{ epoch, name, value }];
  });
  const sign = entry?.better === "lower" ? -1 : 1;
  const best = values.reduce<(typeof values)[number] | undefined>(
    (top, point) => (!top || sign * point.value > sign * top.value ? point : top),
    undefined,
  );
  const epochs = {
    field: "epoch",
    type: "quantitative",
    title: history.some(({ epoch }) => epoch <= 0) ? "Epoch (up to 0: the head alone)" : "Epoch",
    axis: { tickMinStep: 1, format: "d" },
    scale: { nice: false, padding: 8 },
  } as const;
  const size = { width: 330, height: 220 };
  const heights = (name: string) => ({
    field: "value",
    type: "quantitative" as const,
    title: name,
    scale: { zero: false, nice: true },
  });
  const lossPlot: PlotPart = {
    ...size,
    title: "Loss",
    data: { values: losses },
    mark: { type: "line", point: { size: 24 }, strokeWidth: 2 },
    encoding: {
      x: epochs,
      y: heights("Loss"),
      color: {
        field: "series",
        type: "nominal",
        title: null,
        legend: { orient: "top" },
        scale: { domain: ["training", "validation"], range: [COLOURS.first, COLOURS.second] },
      },
    },
  };
  const metricPlot = (top: (typeof values)[number]): PlotPart => ({
    ...size,
    title: `${title}, validation: best ${top.value.toFixed(4)} in ${top.name}`,
    layer: [
      {
        data: { values },
        mark: {
          type: "line",
          point: { size: 24, color: COLOURS.second },
          strokeWidth: 2,
          color: COLOURS.second,
        },
        encoding: { x: epochs, y: heights(title) },
      },
      {
        data: { values: [top] },
        mark: { type: "point", size: 150, strokeWidth: 2, color: COLOURS.third, filled: false },
        encoding: { x: epochs, y: { field: "value", type: "quantitative" } },
      },
    ],
  });
  return plotSvg({
    hconcat: [lossPlot, ...(best ? [metricPlot(best)] : [])],
  });
}
