/** A metric by group, with its interval: subgroups and corruptions. */
import type { PlotPart } from "../plot.ts";
import type { Robustness } from "../robustness/robustness.ts";
import { COLOURS } from "../theme.ts";
import { between, type Figure, shortened, shown } from "./figure.ts";

export interface ForestRow {
  /** Of which column the group is one. */
  readonly column: string;
  readonly group: string;
  readonly n: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Why there is no value. */
  readonly reason?: string | undefined;
  readonly isWorst?: boolean | undefined;
}

/** The groups that are compared by one metric, and its value over all films. */
export interface ForestPanel {
  readonly metric: string;
  readonly all: number | null;
  readonly rows: readonly ForestRow[];
}

const LONGEST_LABEL = 34;
/** Panels below each other shall begin at one line: room for letters of 11 pixels. */
const LETTER = 5.6;

/** One line for each group, the value of all films as a dashed one; a panel for each metric. */
export function forestFigure(panels: readonly ForestPanel[], remarks: readonly string[]): Figure {
  const rows = panels.flatMap((panel) => panel.rows);
  const hasColumns = new Set(rows.map(({ column }) => column)).size > 1;
  const label = ({ column, group, n }: ForestRow) =>
    `${shortened(hasColumns ? `${column}: ${group}` : group, LONGEST_LABEL)} (${n.toLocaleString("en")})`;
  const room = Math.max(...rows.map((row) => label(row).length)) * LETTER;
  return {
    name: "subgroups",
    title: "Subgroups",
    caption: `${panels.map(({ metric }) => metric).join(" or ")} in each group with its 95 % interval; the dashed line is that of all films. ${remarks.join(" ")}${rows.some(({ isWorst }) => isWorst) ? " It is drawn in orange." : ""}`,
    plot: {
      columns: 1,
      spacing: 14,
      concat: panels.map((panel) => panelPlot(panel, label, room)),
    },
    table: {
      head: ["column", "group", "films", "metric", "value", "95 % interval"],
      rows: panels.flatMap(({ metric, rows: ofPanel }) =>
        ofPanel.map(({ column, group, n, value, low, high, reason }) => [
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

function panelPlot(
  { metric, all, rows }: ForestPanel,
  label: (row: ForestRow) => string,
  room: number,
) {
  const defined = rows.filter(({ value }) => value !== null);
  const values = rows.map((row) => ({ ...row, label: label(row) }));
  const lowest = Math.min(
    1,
    ...defined.map(({ value, low }) => low ?? value!),
    ...(all === null ? [] : [all]),
  );
  const domain = [Math.max(0, Math.floor(10 * (lowest - 0.02)) / 10), 1];
  const y = {
    field: "label",
    type: "nominal",
    title: null,
    sort: values.map((row) => row.label),
    axis: {
      labelLimit: 220,
      grid: false,
      domain: false,
      ticks: false,
      labelPadding: 8,
      minExtent: Math.min(220, room),
    },
  } as const;
  const x = {
    type: "quantitative",
    title: metric,
    scale: { domain },
    axis: { tickCount: 5 },
  } as const;
  const color = {
    condition: { test: "datum.isWorst", value: COLOURS.second },
    value: COLOURS.first,
  } as const;
  return {
    width: 200,
    height: { step: 26 },
    title: metric,
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
              scale: { domain: [1, 2, 3, 4, 5], range: [0.3, 0.47, 0.64, 0.82, 1] },
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
