/** The report of anybody's predictions from their file. */
import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { evaluatePredictions } from "../evaluation.ts";
import { DEFAULT_THRESHOLD } from "../prediction.ts";
import { withSplit } from "../prediction-set.ts";
import { readPredictions } from "../predictions-file.ts";
import type { AnalysisOptions } from "./analysis.ts";
import { reportOf } from "./compose.ts";
import type { Report } from "./report.ts";

export interface ReportPredictionsOptions
  extends Pick<AnalysisOptions, "subgroups" | "columnPatterns" | "prevalence"> {
  /** The positive class; by default the one whose name does not say that nothing was found. */
  readonly positive?: string | undefined;
  /** Rows whose column `split` says so; by default all. */
  readonly split?: string | undefined;
  readonly threshold?: number | undefined;
  /** False leaves out films, paths and patients. */
  readonly hasImages?: boolean | undefined;
}

/** How many rows are looked at for whether the films lie where the file says, beside it. */
const TRIED_FILMS = 20;

/** Throws what reading the file throws, and `split-unknown`. */
export async function reportPredictions(
  file: string,
  { positive, split, threshold, hasImages, ...analysis }: ReportPredictionsOptions = {},
): Promise<Report> {
  const whole = await readPredictions(file, { positive });
  const set = split === undefined ? whole : withSplit(whole, split);
  const { predictions, task, patients } = set;
  const folder = dirname(resolve(file));
  const pathOf = (index: number) => {
    const path = resolve(folder, set.keys[index]!);
    return existsSync(path) ? path : null;
  };
  const hasFilms = set.keys.slice(0, TRIED_FILMS).some((_, index) => pathOf(index) !== null);
  const rule =
    threshold === undefined
      ? `${DEFAULT_THRESHOLD}, as nothing else was stated`
      : `${threshold}, as stated`;
  return reportOf(set, evaluatePredictions(predictions, task, { threshold, patients }), {
    title: `Evaluation of ${basename(file)}`,
    facts: [
      ["predictions", basename(file)],
      ...(split === undefined ? [] : [["split", split] as const]),
      ["operating point", rule],
    ],
    pathOf: hasFilms ? pathOf : undefined,
    hasImages,
    analysis,
  });
}
