/** What a decision is worth, and how many films a reader would be spared. */
import type { NetBenefitPoint } from "../operating-points/decision-curve.ts";
import type { RiskCoveragePoint } from "../operating-points/risk-coverage.ts";
import { type Curve, curvePlot } from "./curves.ts";
import { type Figure, percent, shown } from "./figure.ts";

/**
 * Net benefit over the threshold probability; calling none positive is worth 0. `prevalence` is said
 * where it is not that of the films.
 */
export function decisionCurveFigure(
  models: readonly { readonly name: string; readonly points: readonly NetBenefitPoint[] }[],
  { prevalence }: { readonly prevalence?: number | undefined } = {},
): Figure {
  const first = models[0]?.points ?? [];
  const top = Math.max(
    0.01,
    ...models.flatMap(({ points }) => points.map(({ model }) => model)),
    first[0]?.all ?? 0,
  );
  const curves: Curve[] = models.map(({ name, points }) => ({
    name,
    points: points.map(({ threshold, model }) => ({ x: threshold, y: model })),
  }));
  const rows = models.flatMap(({ name, points }) =>
    everyTenth(points, ({ threshold }) => threshold).map(({ threshold, model, all }) => [
      ...(models.length === 1 ? [] : [name]),
      percent(threshold, 0),
      shown(model, 4),
      shown(all, 4),
    ]),
  );
  return {
    name: "decision-curve",
    title: "Decision curve",
    caption: `Net benefit: true positives less false ones, weighed by how many false alarms one found positive is worth at that threshold. The dashed lines are calling every film positive, and none; a model is of use where it lies above both.${prevalence === undefined ? "" : ` Drawn for a share of positives of ${percent(prevalence)} as stated, not for that of these films.`}`,
    plot: curvePlot(curves, {
      title: "Decision curve",
      x: "Threshold probability",
      y: "Net benefit",
      domainY: [-0.15 * top, 1.05 * top],
      quiet: [
        first.map(({ threshold, all }) => ({ x: threshold, y: all })),
        [
          { x: 0, y: 0 },
          { x: 1, y: 0 },
        ],
      ],
    }),
    table: {
      head: [...(models.length === 1 ? [] : ["model"]), "threshold", "model", "all positive"],
      rows,
    },
  };
}

/** Errors over the share of films that are decided, the surest first. */
export function riskCoverageFigure(
  models: readonly { readonly name: string; readonly points: readonly RiskCoveragePoint[] }[],
): Figure {
  const top = Math.max(0.01, ...models.flatMap(({ points }) => points.map(({ risk }) => risk)));
  return {
    name: "risk-coverage",
    title: "Errors and coverage",
    caption:
      "Where only the films are decided of which the model is surest (to the left), and all others are read by a human first, how many of the decided ones are wrong. A useful confidence makes the line rise to the right.",
    plot: curvePlot(
      models.map(({ name, points }) => ({
        name,
        points: points.map(({ coverage, risk }) => ({ x: coverage, y: risk })),
      })),
      {
        title: "Errors among decided films",
        x: "Share of films decided",
        y: "Share of them wrong",
        domainY: [0, Math.min(1, 1.05 * top)],
      },
    ),
    table: {
      head: [...(models.length === 1 ? [] : ["model"]), "decided", "wrong"],
      rows: models.flatMap(({ name, points }) =>
        everyTenth(points, ({ coverage }) => coverage).map(({ coverage, risk }) => [
          ...(models.length === 1 ? [] : [name]),
          percent(coverage, 0),
          percent(risk, 2),
        ]),
      ),
    },
  };
}

/** The point nearest to each tenth, once. */
function everyTenth<T>(points: readonly T[], placeOf: (point: T) => number): T[] {
  const found = Array.from({ length: 11 }, (_, tenth) =>
    points.reduce<T | undefined>((best, point) => {
      const distance = (of: T) => Math.abs(placeOf(of) - tenth / 10);
      return best === undefined || distance(point) < distance(best) ? point : best;
    }, undefined),
  );
  return [...new Set(found)].filter((point) => point !== undefined);
}
