/** A metric by group, with its interval: subgroups and corruptions. */
import type { CorruptionResult } from "../robustness/robustness.ts";
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
  readonly isWorst?: boolean | undefined;
}

/** One line for each group, the value of all films as a dashed one. */
export function forestFigure(
  rows: readonly ForestRow[],
  { metric, all }: { readonly metric: string; readonly all: number | null },
): Figure {
  const hasColumns = new Set(rows.map(({ column }) => column)).size > 1;
  const label = ({ column, group, n }: ForestRow) =>
    `${shortened(hasColumns ? `${column}: ${group}` : group, 34)} (${n.toLocaleString("en")})`;
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
    axis: { labelLimit: 200, grid: false, domain: false, ticks: false, labelPadding: 8 },
  } as const;
  const x = { type: "quantitative", title: metric, scale: { domain } } as const;
  const color = {
    condition: { test: "datum.isWorst", value: COLOURS.second },
    value: COLOURS.first,
  } as const;
  const worst = rows.find(({ isWorst }) => isWorst);
  return {
    name: "subgroups",
    title: "Subgroups",
    caption: `${metric} in each group with its 95 % interval; the dashed line is that of all films.${worst ? ` The worst group, in orange: ${hasColumns ? `${worst.column} ` : ""}${worst.group}.` : ""}`,
    plot: {
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
    },
    table: {
      head: ["column", "group", "films", metric, "95 % interval"],
      rows: rows.map(({ column, group, n, value, low, high }) => [
        column,
        group,
        n,
        shown(value),
        between(low, high),
      ]),
    },
  };
}

/** Bars of a metric by corruption, one for each severity; the line is that of clean films. */
export function corruptionFigure(
  rows: readonly CorruptionResult[],
  clean: Pick<CorruptionResult, "balancedAccuracy" | "auroc">,
): Figure {
  const key = clean.auroc === null ? "balancedAccuracy" : "auroc";
  const title = key === "auroc" ? "AUROC" : "Balanced accuracy";
  const names = [...new Set(rows.map(({ corruption }) => corruption))];
  return {
    name: "corruptions",
    title: "Robustness",
    caption: `${title} on films that were spoilt on purpose, the deeper the colour the worse spoilt (severity 1 to 5); the dashed line is that of the same films unspoilt. Large films are first brought to a shorter side of 224 pixels, for which the corruptions are defined.`,
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
