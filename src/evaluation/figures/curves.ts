/** Curves of one or several models over each other, with their bands. */
import type { PlotSpec } from "../plot.ts";
import { CATEGORY, COLOURS } from "../theme.ts";
import { SIDE, shortened } from "./figure.ts";

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

export interface Curve {
  readonly name: string;
  /** In the order in which they are joined. */
  readonly points: readonly CurvePoint[];
  /** A confidence band, by ascending x. */
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
  /** The operating point. */
  readonly mark?: CurvePoint | undefined;
}

export interface CurvePlotOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly domainX?: [number, number];
  readonly domainY?: [number, number];
  /** Dashed lines without a name, for example that of chance. */
  readonly quiet?: readonly (readonly CurvePoint[])[];
}

/** Points nearer than this share of an axis are drawn as one: 200,000 films make no larger picture. */
const NEAREST = 1 / 600;

/** The curve without points that nobody could tell apart. */
export function thinned(points: readonly CurvePoint[]): CurvePoint[] {
  let [x, y] = [Number.NaN, Number.NaN];
  return points.filter((point, index) => {
    const isNear = Math.abs(point.x - x) < NEAREST && Math.abs(point.y - y) < NEAREST;
    if (isNear && index < points.length - 1) return false;
    [x, y] = [point.x, point.y];
    return true;
  });
}

export function curvePlot(
  curves: readonly Curve[],
  { title, x, y, domainX = [0, 1], domainY = [0, 1], quiet = [] }: CurvePlotOptions,
): PlotSpec {
  const names = curves.map(({ name }) => shortened(name, 44));
  const isAlone = curves.length === 1;
  const encoding = {
    x: { field: "x", type: "quantitative", title: x, scale: { domain: domainX } },
    y: { field: "y", type: "quantitative", title: y, scale: { domain: domainY } },
  } as const;
  const color = {
    field: "name",
    type: "nominal",
    title: null,
    scale: { domain: names, range: names.map((_, index) => CATEGORY[index % CATEGORY.length]!) },
    legend: isAlone
      ? null
      : { orient: "bottom", columns: 1, labelLimit: SIDE, symbolType: "stroke", symbolOpacity: 1 },
  } as const;
  const of = <T>(pick: (curve: Curve) => readonly T[]) =>
    curves.flatMap((curve, index) =>
      pick(curve).map((values) => ({ ...values, name: names[index]! })),
    );
  return {
    width: SIDE,
    height: SIDE,
    title,
    layer: [
      {
        data: { values: of(({ band }) => band ?? []) },
        mark: { type: "area", opacity: 0.18, clip: true },
        encoding: {
          ...encoding,
          y: { ...encoding.y, field: "low" },
          y2: { field: "high" },
          color,
        },
      },
      ...quiet.map((values) => ({
        data: { values: values.map((point, order) => ({ ...point, order })) },
        mark: {
          type: "line" as const,
          color: COLOURS.quiet,
          strokeDash: [4, 4],
          strokeWidth: 1,
          clip: true,
        },
        encoding: { ...encoding, order: { field: "order", type: "quantitative" as const } },
      })),
      {
        data: {
          values: of(({ points }) => thinned(points).map((point, order) => ({ ...point, order }))),
        },
        mark: { type: "line", strokeWidth: 2, clip: true },
        // Ties make slanted pieces, and the order of the points is the curve's, not that of x.
        encoding: { ...encoding, color, order: { field: "order", type: "quantitative" } },
      },
      {
        data: { values: of(({ mark }) => (mark ? [mark] : [])) },
        mark: { type: "point", size: 150, strokeWidth: 2, filled: false },
        encoding: { ...encoding, color: isAlone ? { value: COLOURS.third } : color },
      },
    ],
  };
}
