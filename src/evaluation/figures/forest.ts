/** A metric by group, with its interval: subgroups and corruptions. */
import type { PlotPart } from "../plot.ts";
import type { Robustness } from "../robustness/robustness.ts";
import { COLOURS } from "../theme.ts";
import { between, type Figure, shortened, shown } from "./figure.ts";

export interface ForestRow {
  readonly group: string;
  readonly n: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Why there is no value. */
  readonly reason?: string | undefined;
  readonly isWorst?: boolean | undefined;
}

/** The groups of a column, and the value of their metric over all films. */
export interface ForestPanel {
  readonly column: string;
  readonly metric: string;
  readonly all: number | null;
  readonly rows: readonly ForestRow[];
}

const LONGEST_LABEL = 24;
/** What Vega reckons a letter of 11 pixels at where it cannot measure one. */
const LETTER = 8.8;
const LABEL_PADDING = 8;

/** One line for each group, the value of all films as a dashed one; a panel for each column. */
export function forestFigure(panels: readonly ForestPanel[], remarks: readonly string[]): Figure {
  const metrics = [...new Set(panels.map(({ metric }) => metric))];
  const domains = new Map(metrics.map((metric) => [metric, domainOf(metric, panels)]));
  const rows = panels.flatMap((panel) => panel.rows);
  const room = Math.max(...rows.map((row) => labelOf(row).length)) * LETTER + LABEL_PADDING;
  return {
    name: "subgroups",
    title: "Subgroups",
    caption: `${metrics.join(" or ")} in each group with its 95 % interval; the dashed line is that of all films. ${remarks.join(" ")}${rows.some(({ isWorst }) => isWorst) ? " It is drawn in orange." : ""}`,
    plot: {
      columns: 1,
      spacing: 14,
      concat: panels.map((panel) => panelPlot(panel, { domain: domains.get(panel.metric)!, room })),
    },
    table: {
      head: ["column", "group", "films", "metric", "value", "95 % interval"],
      rows: panels.flatMap(({ column, metric, rows: ofColumn }) =>
        ofColumn.map(({ group, n, value, low, high, reason }) => [
          column,
          group,
          n,
          metric,
          value === null && reason ? `not defined: ${reason}` : shown(value),
          between(low, high),
        ]),
      ),
    },
  };
}

const labelOf = ({ group, n }: ForestRow): string =>
  `${shortened(group, LONGEST_LABEL)} (${n.toLocaleString("en")})`;

/** From a tenth below the lowest that is shown of the metric. */
function domainOf(metric: string, panels: readonly ForestPanel[]): [number, number] {
  const lows = panels
    .filter((panel) => panel.metric === metric)
    .flatMap(({ all, rows }) => [all, ...rows.map(({ low, value }) => low ?? value)])
    .filter((value) => value !== null);
  return [Math.max(0, Math.floor(10 * (Math.min(1, ...lows) - 0.02)) / 10), 1];
}

function panelPlot(
  { column, metric, all, rows }: ForestPanel,
  { domain, room }: { readonly domain: [number, number]; readonly room: number },
) {
  const values = rows.map((row) => ({ ...row, label: labelOf(row) }));
  const y = {
    field: "label",
    type: "nominal",
    title: null,
    sort: values.map((row) => row.label),
    axis: {
      // They are short already, and Vega would cut what it reckons too long.
      labelLimit: 0,
      grid: false,
      domain: false,
      ticks: false,
      labelPadding: LABEL_PADDING,
      minExtent: room,
    },
  } as const;
  const x = {
    type: "quantitative" as const,
    title: metric,
    scale: { domain },
    axis: { tickCount: 5 },
  };
  const color = {
    condition: { test: "datum.isWorst", value: COLOURS.second },
    value: COLOURS.first,
  } as const;
  return {
    width: 180,
    height: { step: 22 },
    title: column,
    layer: [
      {
        data: { values: all === null ? [] : [{ all }] },
        mark: { type: "rule", color: COLOURS.quiet, strokeDash: [4, 4] },
        encoding: { x: { ...x, field: "all" } },
      },
      {
        data: { values },
        mark: { type: "rule", strokeWidth: 2 },
        encoding: { y, x: { ...x, field: "low" }, x2: { field: "high" }, color },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 70, opacity: 1 },
        encoding: { y, x: { ...x, field: "value" }, color },
      },
    ],
  } satisfies PlotPart;
}

/** Bars of a metric by corruption, one for each severity; the line is that of clean films. */
export function corruptionFigure({ films, clean, corruptions: rows }: Robustness): Figure {
  const key = clean.auroc === null ? "balancedAccuracy" : "auroc";
  const title = key === "auroc" ? "AUROC" : "Balanced accuracy";
  const names = [...new Set(rows.map(({ corruption }) => corruption))];
  return {
    name: "corruptions",
    title: "Robustness",
    caption: `${title} on ${films.toLocaleString("en")} films that were spoilt on purpose, the deeper the colour the worse spoilt (severity 1 to 5); the dashed line is that of the same films unspoilt. Large films are first brought to a shorter side of 224 pixels, for which the corruptions are defined.`,
    plot: {
      width: 220,
      height: { step: 6, for: "offset" },
      title: `${title} by corruption`,
      layer: [
        {
          data: { values: rows.filter((row) => row[key] !== null) },
          mark: { type: "bar", opacity: 1 },
          encoding: {
            y: {
              field: "corruption",
              type: "nominal",
              title: null,
              sort: names,
              axis: { grid: false, ticks: false, domain: false, labelLimit: 200 },
            },
            yOffset: { field: "severity", type: "ordinal", scale: { padding: 0 } },
            x: { field: key, type: "quantitative", title, scale: { domain: [0, 1] } },
            color: { value: COLOURS.first },
            opacity: {
              field: "severity",
              type: "ordinal",
              title: "severity",
              // A scale of points, which Vega-Lite would take, knows only the first two.
              scale: {
                type: "ordinal",
                domain: [1, 2, 3, 4, 5],
                range: [0.3, 0.47, 0.64, 0.82, 1],
              },
              legend: { orient: "top", symbolType: "square", symbolFillColor: COLOURS.first },
            },
          },
        },
        {
          data: { values: [{ clean: clean[key] }] },
          mark: { type: "rule", color: COLOURS.quiet, strokeDash: [4, 4], strokeWidth: 1.5 },
          encoding: { x: { field: "clean", type: "quantitative" } },
        },
      ],
    },
    table: {
      head: ["corruption", "severity", "balanced accuracy", "AUROC"],
      rows: rows.map(({ corruption, severity, balancedAccuracy, auroc }) => [
        corruption,
        severity,
        shown(balancedAccuracy),
        shown(auroc),
      ]),
    },
  };
}
