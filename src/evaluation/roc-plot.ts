/** The ROC curve as a picture. */
import { plotSvg } from "./plot.ts";
import { areaUnderRoc, type RankPoint, rankPoints } from "./ranking.ts";
import { COLOURS } from "./theme.ts";

interface RocPoint {
  readonly threshold: number;
  readonly sensitivity: number;
  /** 1 - specificity. */
  readonly falseShare: number;
}

/**
 * An SVG: sensitivity over 1 - specificity, the operating point marked where `threshold` is given.
 * `labels` are 1 for positives. Without both classes there is no curve, and the plot is empty.
 */
export async function rocPlot(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  threshold?: number,
): Promise<string> {
  const area = areaUnderRoc(labels, scores);
  const points = area === null ? [] : rocPoints(rankPoints(labels, scores));
  const operating =
    threshold === undefined ? undefined : points.findLast((point) => point.threshold >= threshold);
  const scale = { domain: [0, 1] };
  const encoding = {
    x: { field: "falseShare", type: "quantitative", title: "1 - specificity", scale },
    y: { field: "sensitivity", type: "quantitative", title: "Sensitivity", scale },
    // Ties make slanted pieces, and the order of the points is the curve's, not that of x.
    order: { field: "threshold", sort: "descending" },
  } as const;
  const chance = [
    { falseShare: 0, sensitivity: 0, threshold: 1 },
    { falseShare: 1, sensitivity: 1, threshold: 0 },
  ];
  return plotSvg({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 300,
    height: 300,
    title: area === null ? "ROC: not defined" : `ROC, area ${area.toFixed(4)}`,
    layer: [
      {
        data: { values: chance },
        mark: { type: "line", color: COLOURS.quiet, strokeDash: [4, 4], strokeWidth: 1 },
        encoding,
      },
      {
        data: { values: corners(points) },
        mark: { type: "line", color: COLOURS.first, strokeWidth: 2 },
        encoding,
      },
      {
        data: { values: operating ? [operating] : [] },
        mark: { type: "point", size: 150, strokeWidth: 2, color: COLOURS.third, filled: false },
        encoding: { x: encoding.x, y: encoding.y },
      },
    ],
  });
}

/** From the point where nothing is positive to the one where all is; both classes have to be there. */
function rocPoints(points: readonly RankPoint[]): RocPoint[] {
  const { truePositives: positives, falsePositives: negatives } = points.at(-1)!;
  const counted = points.map(({ threshold, truePositives, falsePositives }) => ({
    threshold,
    sensitivity: truePositives / positives,
    falseShare: falsePositives / negatives,
  }));
  return [{ threshold: 2, sensitivity: 0, falseShare: 0 }, ...counted];
}

/** The points at which the curve turns: those within a step add nothing to the picture. */
function corners(points: readonly RocPoint[]): RocPoint[] {
  return points.filter((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    if (!before || !after) return true;
    const isWithin = (key: "sensitivity" | "falseShare") =>
      before[key] === point[key] && point[key] === after[key];
    return !isWithin("sensitivity") && !isWithin("falseShare");
  });
}
