/** The ROC and precision-recall curves of one or several models. */
import type { Cell } from "../../page.ts";
import { areaUnderRoc, averagePrecision, type RankPoint, rankPoints } from "../ranking.ts";
import { type Curve, type CurvePoint, curvePlot } from "./curves.ts";
import { between, type Figure, shortened, shown } from "./figure.ts";

export interface Scored {
  readonly name: string;
  /** 1 for positives. */
  readonly labels: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  /** The operating point, marked where it is given. */
  readonly threshold?: number | null | undefined;
  readonly rocBand?: Curve["band"];
  readonly precisionBand?: Curve["band"];
  readonly auroc?: Interval | undefined;
  readonly averagePrecision?: Interval | undefined;
}

interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

const TABLE_HEAD = ["threshold", "sensitivity", "specificity", "PPV", "NPV"];

/** Sensitivity over 1 - specificity. Without both classes there is no curve, and the plot is empty. */
export function rocFigure(models: readonly Scored[]): Figure {
  const areas = models.map(({ labels, scores }) => areaUnderRoc(labels, scores));
  const curves = models.map((model, index): Curve => {
    const points = areas[index] === null ? [] : rankPoints(model.labels, model.scores);
    return {
      name: named(model, "AUROC", areas[index]!, models.length),
      points: points.length === 0 ? [] : [{ x: 0, y: 0 }, ...points.map(rocPointOf(points))],
      ...(model.rocBand && points.length > 0 ? { band: model.rocBand } : {}),
      mark: markOf(points, model.threshold, rocPointOf(points), { x: 0, y: 0 }),
    };
  });
  return {
    name: "roc",
    title: "ROC curve",
    caption: `How many of the positives are found (upwards) at the price of how many false alarms (to the right).${circles(models)} The dashed line is chance.${bands(models.some(({ rocBand }) => rocBand))}`,
    plot: curvePlot(curves, {
      title: titleOf("ROC", "area", models, areas, ({ auroc }) => auroc),
      x: "1 - specificity",
      y: "Sensitivity",
      quiet: [
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
      ],
    }),
    table: thresholdTable(models),
  };
}

/** Precision (PPV) over recall (sensitivity), as steps. Without positives the plot is empty. */
export function precisionRecallFigure(models: readonly Scored[]): Figure {
  const values = models.map(({ labels, scores }) => averagePrecision(labels, scores));
  const curves = models.map((model, index): Curve => {
    const points = values[index] === null ? [] : rankPoints(model.labels, model.scores);
    return {
      name: named(model, "AP", values[index]!, models.length),
      points: stairs(points.map(precisionPointOf(points))),
      ...(model.precisionBand && points.length > 0 ? { band: model.precisionBand } : {}),
      mark: markOf(points, model.threshold, precisionPointOf(points)),
    };
  });
  // Models of one set share it; classes and findings each have their own.
  const shares = [...new Set(models.map(shareOfPositives))];
  return {
    name: "precision-recall",
    title: "Precision and recall",
    caption: `Of the films called positive, how many are (upwards), against how many of the positives are found (to the right).${circles(models)} ${guessing(shares)}${bands(models.some(({ precisionBand }) => precisionBand))}`,
    plot: curvePlot(curves, {
      title: titleOf("Precision-recall", "AP", models, values, (model) => model.averagePrecision),
      x: "Recall (sensitivity)",
      y: "Precision (PPV)",
      quiet: shares.map((share) => [
        { x: 0, y: share },
        { x: 1, y: share },
      ]),
    }),
    table: {
      head: ["model", "average precision", "95 % interval"],
      rows: models.map((model, index) => [
        model.name,
        shown(values[index]!),
        interval(model.averagePrecision),
      ]),
    },
  };
}

/** What the dashed lines of a precision-recall plot are. */
function guessing(shares: readonly number[]): string {
  const percents = shares.map((share) => `${(100 * share).toFixed(1)} %`).join(", ");
  return shares.length > 1
    ? `The dashed lines are what guessing reaches, the share of positives of each: ${percents}.`
    : `The dashed line is what guessing reaches: the share of positives here, ${percents}.`;
}

const rocPointOf = (points: readonly RankPoint[]) => {
  const last = points.at(-1);
  return ({ truePositives, falsePositives }: RankPoint): CurvePoint => ({
    x: falsePositives / last!.falsePositives,
    y: truePositives / last!.truePositives,
  });
};

const precisionPointOf = (points: readonly RankPoint[]) => {
  const last = points.at(-1);
  return ({ truePositives, falsePositives }: RankPoint): CurvePoint => ({
    x: truePositives / last!.truePositives,
    y: truePositives / (truePositives + falsePositives),
  });
};

/** The films at or above the threshold; `none` where there is no such film. */
function markOf(
  points: readonly RankPoint[],
  threshold: number | null | undefined,
  place: (point: RankPoint) => CurvePoint,
  none?: CurvePoint,
): CurvePoint | undefined {
  if (threshold === null || threshold === undefined || points.length === 0) return undefined;
  const point = points.findLast((candidate) => candidate.threshold >= threshold);
  return point ? place(point) : none;
}

/** A precision holds from the recall before: the sum of these steps is the average precision. */
function stairs(points: readonly CurvePoint[]): CurvePoint[] {
  let before = 0;
  return points.flatMap(({ x, y }) => {
    const step = [
      { x: before, y },
      { x, y },
    ];
    before = x;
    return step;
  });
}

function shareOfPositives({ labels }: Scored): number {
  if (labels.length === 0) return 0;
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  return positives / labels.length;
}

const named = ({ name }: Scored, what: string, value: number | null, models: number) =>
  models === 1 ? name : `${shortened(name, 30)}: ${what} ${shown(value)}`;

const interval = (value: Interval | undefined) => between(value?.low ?? null, value?.high ?? null);

function titleOf(
  curve: string,
  what: string,
  models: readonly Scored[],
  values: readonly (number | null)[],
  intervalOf: (model: Scored) => Interval | undefined,
): string {
  if (models.length !== 1) return curve;
  if (values[0] === null) return `${curve}: not defined`;
  const range = interval(intervalOf(models[0]!));
  return `${curve}, ${what} ${values[0]!.toFixed(4)}${range ? ` (${range})` : ""}`;
}

function circles(models: readonly Scored[]): string {
  const isMarked = models.some(({ threshold }) => typeof threshold === "number");
  if (!isMarked) return "";
  return models.length === 1
    ? " The circle is the operating point."
    : " Circles are operating points.";
}

const bands = (isThere: boolean) => (isThere ? " The band is the 95 % interval." : "");

const STEPS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/** What the curve says at even thresholds and at the operating point. */
function thresholdTable(models: readonly Scored[]): Figure["table"] {
  const isAlone = models.length === 1;
  const rows = models.flatMap((model) => {
    const points = rankPoints(model.labels, model.scores);
    const { threshold } = model;
    const own = typeof threshold === "number" ? [threshold] : [];
    const thresholds = [...(isAlone ? STEPS : []), ...own].sort((a, b) => a - b);
    return thresholds.map((at): Cell[] => [
      ...(isAlone ? [] : [model.name]),
      at === threshold ? `${at.toFixed(4)} (operating point)` : at.toFixed(2),
      ...sharesAt(points, at).map((share) => shown(share)),
    ]);
  });
  return { head: isAlone ? TABLE_HEAD : ["model", ...TABLE_HEAD], rows };
}

function sharesAt(points: readonly RankPoint[], threshold: number): (number | null)[] {
  const last = points.at(-1) ?? { truePositives: 0, falsePositives: 0 };
  const at = points.findLast((point) => point.threshold >= threshold);
  const { truePositives, falsePositives } = at ?? { truePositives: 0, falsePositives: 0 };
  const trueNegatives = last.falsePositives - falsePositives;
  const falseNegatives = last.truePositives - truePositives;
  const share = (part: number, rest: number) => (part + rest === 0 ? null : part / (part + rest));
  return [
    share(truePositives, falseNegatives),
    share(trueNegatives, falsePositives),
    share(truePositives, falsePositives),
    share(trueNegatives, falseNegatives),
  ];
}
