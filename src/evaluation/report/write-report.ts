/** The files of a report. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { guardDisk, writeFileAtomically } from "../../files.node.ts";
import { predictionsCsv } from "../predictions-csv.ts";
import { drawFigures, writeFigures } from "./figure-page.ts";
import { figuresOf, type Report } from "./report.ts";
import { reportPage } from "./report-page.ts";

export const REPORT_FILES = {
  page: "report.html",
  metrics: "metrics.json",
  predictions: "predictions.csv",
  figures: "figures",
} as const;

/**
 * Writes report.html, metrics.json (`metrics` as it is), predictions.csv and the figures as SVG and
 * PNG into the folder, which is made. Throws `disk-full`.
 */
export async function writeReport(folder: string, report: Report, metrics: object): Promise<void> {
  guardDisk(folder, () => mkdirSync(folder, { recursive: true }));
  const figures = await drawFigures(figuresOf(report));
  await writeFigures(join(folder, REPORT_FILES.figures), figures);
  writeFileAtomically(join(folder, REPORT_FILES.predictions), predictionsCsv(report.set));
  writeFileAtomically(join(folder, REPORT_FILES.metrics), `${JSON.stringify(metrics, null, 2)}\n`);
  // Last, for it is what people look for.
  writeFileAtomically(join(folder, REPORT_FILES.page), await reportPage(report, figures));
}
