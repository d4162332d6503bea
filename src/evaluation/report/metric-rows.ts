/** Metrics as rows of text: for the terminal, the page and the model card. */
import { BINARY_METRICS } from "../binary.ts";
import type { Evaluation } from "../evaluation.ts";
import { between, percent, shown } from "../figures/figure.ts";
import type { MetricValue } from "../metric-values.ts";
import type { Robustness } from "../robustness/robustness.ts";
import type { Subgroups } from "../subgroups/subgroups.ts";
import type { Analysis, Uncalibrated } from "./analysis.ts";

const FURTHER_TITLES: Readonly<Record<string, string>> = {
  aurocMacro: "AUROC, macro mean",
  f1Macro: "F1, macro mean",
};

export function metricTitle(key: string): string {
  return BINARY_METRICS.find((metric) => metric.key === key)?.title ?? FURTHER_TITLES[key] ?? key;
}

const METHODS: Readonly<Record<NonNullable<MetricValue["method"]>, string>> = {
  wilson: "Wilson",
  delong: "DeLong",
  bootstrap: "bootstrap (BCa)",
  "bootstrap-inverted": "bootstrap (inverted)",
  "bootstrap-percentile": "bootstrap (percentile)",
  "cluster-bootstrap": "bootstrap of patients (BCa)",
  "cluster-bootstrap-inverted": "bootstrap of patients (inverted)",
  "cluster-bootstrap-percentile": "bootstrap of patients (percentile)",
};

export function metricText({ value, reason }: MetricValue, digits = 4): string {
  if (value !== null) return value.toFixed(digits);
  return reason ? `not defined: ${reason}` : "not defined";
}

/** The value with its interval in one cell. */
export function shownMetric(metric: MetricValue): string {
  const range = intervalText(metric);
  return `${metricText(metric)}${range ? ` (${range})` : ""}`;
}

export const intervalText = ({ low, high }: MetricValue): string => between(low, high);

/** How the interval was made, or why there is none. */
export function methodText({ value, method, reason }: MetricValue): string {
  if (method !== null) return METHODS[method];
  return value !== null && reason ? `none: ${reason}` : "";
}

/** Chance alone parts outcomes from probabilities, and the value counts that as an error. */
const remarkOn = ({ debiased }: MetricValue): string =>
  debiased === undefined ? "" : `; ${debiased.toFixed(4)} without what chance adds`;

/** Metric, value, interval and method, in the order of the evaluation. */
export function metricRows(metrics: Evaluation["metrics"]): string[][] {
  return Object.entries(metrics).map(([key, metric]) => [
    metricTitle(key),
    metricText(metric),
    intervalText(metric),
    `${methodText(metric)}${remarkOn(metric)}`,
  ]);
}

export const METRIC_HEAD = ["metric", "value", "95 % interval", "interval by"];

/** What fits a screen; metrics.json has every metric of a class. */
const OF_A_CLASS = ["sensitivity", "specificity", "ppv", "f1", "auroc", "averagePrecision"];
const CLASS_TITLES = ["sensitivity", "specificity", "PPV", "F1", "AUROC", "AP"];

/** What an evaluation without one positive class has rows of; only classes exclude one another. */
export const rowName = ({ confusion }: Pick<Evaluation, "confusion">): "class" | "finding" =>
  confusion ? "class" : "finding";

export const classHead = (evaluation: Pick<Evaluation, "confusion">): string[] => [
  rowName(evaluation),
  ...CLASS_TITLES,
];

export function classRows(perClass: NonNullable<Evaluation["perClass"]>): string[][] {
  return Object.entries(perClass).map(([name, metrics]) => [
    name,
    ...OF_A_CLASS.map((key) => {
      const { value, low, high } = metrics[key]!;
      const range = between(low, high, 2);
      return value === null ? "not defined" : `${value.toFixed(3)}${range ? ` (${range})` : ""}`;
    }),
  ]);
}

export function prevalenceRows({
  prevalence,
  ppv,
  npv,
}: NonNullable<Analysis["atPrevalence"]>): string[][] {
  const at = percent(prevalence);
  return [
    [`Positive predictive value at ${at}`, shown(ppv.value, 4), between(ppv.low, ppv.high)],
    [`Negative predictive value at ${at}`, shown(npv.value, 4), between(npv.low, npv.high)],
  ];
}

export const CALIBRATION_HEAD = ["calibration", "before", "after"];

/** What the model's calibration did to the metrics that it is there for. */
export function calibrationRows(
  { metrics: before }: Pick<Uncalibrated, "metrics">,
  after: Evaluation["metrics"],
): string[][] {
  return Object.entries(before).map(([key, metric]) => [
    metricTitle(key),
    shownMetric(metric),
    shownMetric(after[key]!),
  ]);
}

export const SUBGROUP_HEAD = ["group", "films", "metric", "value", "95 % interval", ""];

export function subgroupRows({ groups, worst }: Subgroups): string[][] {
  return groups.map((group) => {
    const value = group.evaluation.metrics[group.metric]!;
    const remark = group === worst ? "worst" : group.isSmall ? "few films" : "";
    return [
      `${group.column}: ${group.group}`,
      group.n.toLocaleString("en"),
      metricTitle(group.metric),
      metricText(value),
      intervalText(value),
      remark,
    ];
  });
}

/** Which group is the worst and by what; and why a column is not compared by the usual metric. */
export function subgroupRemarks({ columns, worst }: Subgroups): string[] {
  const instead = columns.flatMap(({ column, metric, insteadOf }) =>
    insteadOf
      ? [
          `${column} is compared by ${metricTitle(metric)}, for ${metricTitle(insteadOf.metric)} is not defined in ${insteadOf.groups.join(" and ")}: ${insteadOf.reason}.`,
        ]
      : [],
  );
  const worstText = worst
    ? `The worst group is ${worst.column}: ${worst.group}, which falls furthest below all films (by ${metricTitle(worst.metric)}).`
    : "No group is named as the worst: that takes two of enough films.";
  return [...instead, worstText];
}

const BY_SEVERITY = ["1", "2", "3", "4", "5"];

/** What is said of spoilt films, with the head of its table. */
export const ROBUSTNESS_HEAD = {
  balancedAccuracy: ["balanced accuracy at severity", ...BY_SEVERITY],
  auroc: ["AUROC at severity", ...BY_SEVERITY],
} as const;

/** The unspoilt films and then a row for each corruption. */
export function robustnessRows(
  { clean, corruptions }: Robustness,
  key: keyof typeof ROBUSTNESS_HEAD,
): string[][] {
  const names = [...new Set(corruptions.map(({ corruption }) => corruption))];
  const of = (name: string) => corruptions.filter(({ corruption }) => corruption === name);
  return [
    ["none", shown(clean[key]), ...BY_SEVERITY.slice(1).map(() => "")],
    ...names.map((name) => [name, ...of(name).map((result) => shown(result[key]))]),
  ];
}
