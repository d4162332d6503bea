/** How several models learned, over each other. */
import type { Cell } from "../../page.ts";
import { BINARY_METRICS } from "../binary.ts";
import { type CurvePoint, withHeadsFromOne } from "../learning-curves.ts";
import type { PlotPart } from "../plot.ts";
import { CATEGORY } from "../theme.ts";
import { type Figure, SIDE, shortened, shown } from "./figure.ts";

export interface LearningHistory {
  readonly name: string;
  readonly points: readonly CurvePoint[];
  /** Which epoch's head was kept, of those up to 0; the last one where this is left out. */
  readonly keptHead?: number | undefined;
}

/** The share of the axis that epochs of a head on its own have: they may be many, and take seconds. */
const HEAD_SHARE = 0.3;

const LOSSES: readonly (readonly [string, (point: CurvePoint) => number | null])[] = [
  ["Loss, training", ({ loss }) => loss],
  ["Loss, validation", ({ valLoss }) => valLoss],
];

/** Losses and the metric by epoch, each in a plot of its own. */
export function learningFigure(histories: readonly LearningHistory[], metric: string): Figure {
  const names = histories.map(({ name }) => shortened(name));
  const counted = withHeadsFromOne(histories.map(({ points }) => points));
  const epochs = counted.flatMap((points) => points.map(({ epoch }) => epoch));
  const last = Math.max(1, ...epochs);
  const hasHead = epochs.some((epoch) => epoch <= 0);
  const before = hasHead ? (last * HEAD_SHARE) / (1 - HEAD_SHARE) : 0;
  const title = BINARY_METRICS.find(({ key }) => key === metric)?.title ?? metric;
  const plots = [
    ...LOSSES,
    [`${title}, validation`, ({ metrics }: CurvePoint) => metrics[metric] ?? null] as const,
  ];
  const x = {
    field: "x",
    type: "quantitative",
    title: hasHead ? "Epoch (left of 0: the head alone)" : "Epoch",
    axis: { values: wholeNumbers(hasHead ? 0 : 1, last), format: "d" },
    scale: { domain: [hasHead ? -before : 1, last] as number[], nice: false, padding: 8 },
  } as const;
  const color = {
    field: "name",
    type: "nominal",
    title: null,
    scale: { domain: names, range: names.map((_, index) => CATEGORY[index % CATEGORY.length]!) },
    legend: { orient: "bottom", columns: 3, labelLimit: SIDE, symbolType: "stroke" },
  } as const;
  const partOf = ([name, of]: (typeof plots)[number]): PlotPart => {
    const y = { field: "y", type: "quantitative", title: null, scale: { zero: false } } as const;
    const drawn = counted.map((points) => placed(points, of, before));
    const standingOf = (history: LearningHistory) => (hasHead ? standing(history, of, last) : []);
    const named = (values: readonly (readonly Place[])[]) =>
      values.flatMap((places, index) => places.map((place) => ({ ...place, name: names[index]! })));
    return {
      width: SIDE,
      height: 220,
      title: name,
      layer: [
        {
          data: { values: named(drawn) },
          mark: { type: "line", strokeWidth: 2, opacity: 0.8, point: { size: 20 } },
          encoding: { x, y, color },
        },
        {
          data: { values: named(histories.map(standingOf)) },
          mark: { type: "line", strokeWidth: 1.5, strokeDash: [4, 4] },
          encoding: { x, y, color },
        },
      ],
    };
  };
  return {
    name: "learning",
    title: "Learning curves",
    caption: `What each run's epochs did to its loss on training films, which are augmented, and to the loss and the ${title} of its validation films.${hasHead ? " Left of 0 a new head learns on the frozen backbone, right of it the network as a whole; the dashed line is the head that was kept, of a run that ends with it." : ""}`,
    plot: { hconcat: plots.map(partOf) },
    table: { head: ["model", "epoch", ...plots.map(([name]) => name)], rows: rowsOf() },
  };

  function rowsOf(): Cell[][] {
    return histories.flatMap(({ name, points }) =>
      points.map((point): Cell[] => [
        name,
        point.name ?? point.epoch,
        ...plots.map(([, of]) => shown(of(point), 4)),
      ]),
    );
  }
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function placed(
  points: readonly CurvePoint[],
  of: (point: CurvePoint) => number | null,
  before: number,
): Place[] {
  const first = Math.min(0, ...points.map(({ epoch }) => epoch)) || -1;
  return points.flatMap((point) => {
    const y = of(point);
    const x = point.epoch > 0 ? point.epoch : (-before * point.epoch) / first;
    return y === null ? [] : [{ x, y }];
  });
}

/** Of a run without epochs above 0: from there to the last of the others, what its head came to. */
function standing(
  { points, keptHead = 0 }: LearningHistory,
  of: (point: CurvePoint) => number | null,
  last: number,
): Place[] {
  const kept = points.find(({ epoch }) => epoch === keptHead);
  const y = kept ? of(kept) : null;
  const isHeadAlone = points.every(({ epoch }) => epoch <= 0);
  return y === null || !isHeadAlone ? [] : [0, last].map((x) => ({ x, y }));
}

function wholeNumbers(from: number, to: number): number[] {
  const step = Math.max(1, Math.ceil((to - from) / 10));
  return Array.from(
    { length: Math.floor((to - from) / step) + 1 },
    (_, index) => from + index * step,
  );
}
