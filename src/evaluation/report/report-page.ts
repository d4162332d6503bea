/** The report as one HTML page that needs no network. */
import { FILM_GRID_STYLE } from "../../datasets/index.ts";
import { escapeHtml, htmlPlot, htmlTable, page } from "../../page.ts";
import type { Evaluation } from "../evaluation.ts";
import {
  faithfulnessHead,
  faithfulnessRows,
  faithfulnessText,
  type ReportedFaithfulness,
  sanityText,
} from "./faithfulness-rows.ts";
import { type DrawnFigure, FIGURE_STYLE, figuresHtml } from "./figure-page.ts";
import { filmsHtml } from "./films.ts";
import {
  CALIBRATION_HEAD,
  calibrationRows,
  classHead,
  classRows,
  intervalText,
  METRIC_HEAD,
  metricRows,
  metricTitle,
  prevalenceRows,
  rowName,
} from "./metric-rows.ts";
import type { Report } from "./report.ts";
import {
  BAND_HEAD,
  bandRows,
  bandText,
  embeddingText,
  SHIFT_HEAD,
  shiftRows,
} from "./validation.ts";

export const REPORT_STYLE = `${FIGURE_STYLE}${FILM_GRID_STYLE}
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; } h3 small { color: var(--quiet); font-weight: 400; }
.metrics td:nth-child(3) { white-space: nowrap; }
@media screen and (min-width: 48rem) { .metrics td:last-child { white-space: nowrap; } }
@media screen { .curves svg { max-width: none; } }
.facts td:last-child { overflow-wrap: anywhere; } .facts td:first-child { color: var(--quiet); white-space: nowrap; }
`;

export const section = (title: string, body: string): string =>
  body === "" ? "" : `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;

export const warningsHtml = (warnings: readonly string[]): string =>
  warnings.length === 0
    ? ""
    : `<ul class="findings">${warnings.map((text) => `<li class="warning">${escapeHtml(text)}</li>`).join("")}</ul>`;

/** The page. Figures are drawn already, for they are written as files as well. */
export async function reportPage(report: Report, figures: readonly DrawnFigure[]): Promise<string> {
  const { title, facts, warnings, evaluation, learningCurves, pathOf, set, seed, analysis } =
    report;
  const { shift, uncertainBand, faithfulness } = report;
  const { threshold, perClass, metrics } = evaluation;
  return page({
    title,
    style: REPORT_STYLE,
    body: [
      `<p class="lead">${escapeHtml(leadOf(evaluation))}</p>`,
      warningsHtml(warnings),
      cards(evaluation),
      section("What was evaluated", `<div class="facts">${htmlTable(facts)}</div>`),
      section(
        "Metrics",
        `${intervalNote(evaluation)}<div class="metrics">${htmlTable(metricRows(metrics), METRIC_HEAD)}</div>`,
      ),
      section(
        `By ${rowName(evaluation)}`,
        perClass ? htmlTable(classRows(perClass), classHead(evaluation)) : "",
      ),
      section(
        "At another prevalence",
        analysis.atPrevalence
          ? htmlTable(prevalenceRows(analysis.atPrevalence), ["metric", "value", "95 % interval"])
          : "",
      ),
      section(
        "Calibration before and after",
        analysis.uncalibrated
          ? `<p class="lead">The model corrects its network's probabilities. Here is what that did to these films.</p><div class="metrics">${htmlTable(calibrationRows(analysis.uncalibrated, metrics), CALIBRATION_HEAD)}</div>`
          : "",
      ),
      section("In pictures", figuresHtml(figures)),
      section(
        "Uncertain: read by a human first",
        uncertainBand
          ? `<p>${escapeHtml(bandText(uncertainBand))}</p>${htmlTable(bandRows(uncertainBand), BAND_HEAD)}`
          : "",
      ),
      section(
        `Against ${shift.against}`,
        shift.reason === null
          ? `${htmlTable(shiftRows(shift), SHIFT_HEAD)}<p>${escapeHtml(embeddingText(shift))}</p>`
          : `<p>${escapeHtml(shift.reason)}</p>`,
      ),
      section(
        "Do heat maps show what answers rest on?",
        faithfulness ? faithfulnessHtml(faithfulness) : "",
      ),
      section(
        "Learning",
        learningCurves
          ? `<div class="scroll curves">${htmlPlot(learningCurves, "Loss and the metric that chose the epoch, by epoch.")}</div>`
          : "",
      ),
      section("Films", pathOf ? await filmsHtml(set, { threshold, seed, pathOf }) : ""),
    ].join("\n"),
  });
}

function faithfulnessHtml(found: ReportedFaithfulness): string {
  const lead = `<p class="lead">${escapeHtml(faithfulnessText(found))}</p>`;
  if ("unknown" in found) return lead;
  const tables = found.methods.map(
    (method) =>
      `<p>${escapeHtml(sanityText(method))}</p><div class="metrics">${htmlTable(faithfulnessRows(method, found), faithfulnessHead(method))}</div>`,
  );
  return `${lead}${tables.join("")}`;
}

function leadOf({ n, patients, positive, threshold, confusion }: Evaluation): string {
  const of = patients === null ? "" : ` of ${patients.toLocaleString("en")} patients`;
  const truths = confusion?.matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const counts = truths
    ? `: ${confusion!.labels.map((label, index) => `${truths[index]!.toLocaleString("en")} ${label}`).join(", ")}`
    : "";
  const rule =
    positive === null
      ? ""
      : ` A film counts as ${positive} from a probability of ${threshold!.toFixed(4)} upwards.`;
  return `${n.toLocaleString("en")} films${of}${counts}.${rule}`;
}

const CARDS = ["auroc", "aurocMacro", "sensitivity", "specificity", "balancedAccuracy", "brier"];

function cards({ metrics }: Evaluation): string {
  const shown = CARDS.filter((key) => metrics[key]).map((key) => {
    const metric = metrics[key]!;
    const value = metric.value === null ? "–" : metric.value.toFixed(3);
    const below = metric.value === null ? (metric.reason ?? "not defined") : intervalText(metric);
    return `<div><span>${escapeHtml(metricTitle(key))}</span><b>${value}</b><span>${escapeHtml(below)}</span></div>`;
  });
  return `<div class="cards">${shown.join("")}</div>`;
}

function intervalNote({ intervals }: Evaluation): string {
  if (!intervals) return "";
  const { level, rounds, seed } = intervals;
  return `<p class="lead">Intervals hold the true value in ${(100 * level).toFixed(0)} of 100 such data sets. Where patients have several films, whole patients were drawn anew (${rounds.toLocaleString("en")} rounds, seed ${seed}).</p>`;
}
