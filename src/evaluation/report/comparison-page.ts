/** A comparison as tables, and as one HTML page with its files. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { guardDisk, writeFileAtomically } from "../../files.node.ts";
import { escapeHtml, htmlTable, page } from "../../page.ts";
import { between, type Figure, pText } from "../figures/figure.ts";
import { type LearningHistory, learningFigure } from "../figures/learning.ts";
import { positiveOf } from "../prediction.ts";
import { type Comparison, comparisonFigures, type NamedSet } from "./comparison.ts";
import { drawFigures, figureHtml, figuresHtml, writeFigures } from "./figure-page.ts";
import { metricTitle, shownMetric } from "./metric-rows.ts";
import { REPORT_STYLE, section, warningsHtml } from "./report-page.ts";
import { REPORT_FILES } from "./write-report.ts";

/** One row for each metric, a column for each model. */
export function comparisonRows({ models }: Comparison): string[][] {
  return Object.keys(models[0]!.evaluation.metrics).map((key) => [
    metricTitle(key),
    ...models.map(({ evaluation }) => shownMetric(evaluation.metrics[key]!)),
  ]);
}

export const comparisonHead = ({ models }: Comparison): string[] => [
  "metric",
  ...models.map(({ name }) => name),
];

const TESTS: Readonly<Record<string, string>> = {
  delong: "DeLong",
  "mcnemar-mid-p": "McNemar, mid-p",
  bootstrap: "bootstrap",
  "cluster-bootstrap": "bootstrap of patients",
};

export const PAIR_HEAD = ["first – second", "metric", "difference", "test", "p", "p (Holm)"];

/** What pairs are tested by; a pair has those of its task. */
const TESTED = ["auroc", "aurocMacro", "accuracy"];

/** The tested metrics of each pair, the first model less the second. */
export function pairRows({ pairs }: Comparison): string[][] {
  return pairs.flatMap(({ first, second, differences, tests }) =>
    TESTED.filter((metric) => metric in differences).map((metric) => {
      const difference = differences[metric];
      const test = tests.find((tested) => tested.metric === metric);
      const range = between(difference?.low ?? null, difference?.high ?? null);
      const value = difference?.value ?? null;
      const reason = difference?.reason ? `: ${difference.reason}` : "";
      return [
        `${first} – ${second}`,
        metricTitle(metric),
        value === null
          ? `not defined${reason}`
          : `${value >= 0 ? "+" : ""}${value.toFixed(4)}${range ? ` (${range})` : ""}`,
        ...(test
          ? [TESTS[test.method] ?? test.method, pText(test.p), pText(test.correctedP)]
          : ["none", "", ""]),
      ];
    }),
  );
}

export interface ComparisonReport {
  readonly comparison: Comparison;
  readonly sets: readonly NamedSet[];
  /** How those learned that lie in their runs. */
  readonly histories?: readonly LearningHistory[] | undefined;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly warnings: readonly string[];
}

/** Areas tell models apart where nearly every film is read rightly. */
function learningFigures(
  histories: readonly LearningHistory[],
  positive: number | null,
): readonly Figure[] {
  if (histories.length < 2) return [];
  return [learningFigure(histories, positive === null ? "accuracy" : "auroc")];
}

/** Writes report.html, metrics.json and the figures into the folder. Throws `disk-full`. */
export async function writeComparison(folder: string, report: ComparisonReport): Promise<void> {
  const { comparison, sets, histories = [], facts, warnings } = report;
  guardDisk(folder, () => mkdirSync(folder, { recursive: true }));
  const figures = await drawFigures(comparisonFigures(comparison, sets));
  const learning = await drawFigures(learningFigures(histories, positiveOf(sets[0]!.set.task)));
  const all = [...figures, ...learning];
  if (all.length > 0) await writeFigures(join(folder, REPORT_FILES.figures), all);
  writeFileAtomically(
    join(folder, REPORT_FILES.metrics),
    `${JSON.stringify({ ...comparison, warnings }, null, 2)}\n`,
  );
  const names = comparison.models.map(({ name }) => name).join(", ");
  const html = page({
    title: `Comparison of ${comparison.models.length} models`,
    style: REPORT_STYLE,
    body: [
      `<p class="lead">${escapeHtml(names)} on the same ${comparison.n.toLocaleString("en")} films, each at its own operating point.</p>`,
      warningsHtml(warnings),
      section("What was compared", `<div class="facts">${htmlTable(facts)}</div>`),
      section("Metrics", htmlTable(comparisonRows(comparison), comparisonHead(comparison))),
      section(
        "Differences",
        `<p class="lead">The first model less the second, with 95 % intervals of the paired difference. p is how likely so large a difference were if there was none; the last column corrects it for the number of pairs.</p>${htmlTable(pairRows(comparison), PAIR_HEAD)}`,
      ),
      section("In pictures", figures.length > 0 ? figuresHtml(figures) : ""),
      section(
        "Learning",
        learning.map((figure) => `<div class="scroll curves">${figureHtml(figure)}</div>`).join(""),
      ),
    ].join("\n"),
  });
  writeFileAtomically(join(folder, REPORT_FILES.page), html);
}
