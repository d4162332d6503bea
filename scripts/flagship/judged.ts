/** What the shipped file says of the run's validation films: the numbers beside it, with intervals. */
import { join } from "node:path";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { labelsOf } from "../../src/datasets/index.ts";
import {
  type Evaluation,
  evaluatePredictions,
  readShiftMixture,
} from "../../src/evaluation/index.ts";
import type { RunFolder } from "../../src/training/index.ts";

interface JudgedOptions {
  readonly run: RunFolder;
  readonly data: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface Judged {
  readonly notice: string;
  readonly threshold: number | undefined;
  /** The films as they are. */
  readonly validation: Pick<Evaluation, "n" | "metrics">;
  /** Clean and corrupted together. */
  readonly corrupted: Pick<Evaluation, "n" | "metrics">;
  readonly parts: readonly {
    readonly corruption: string;
    readonly severity: number;
    readonly metrics: Readonly<Record<string, number | null>>;
  }[];
}

export async function judged(
  file: string,
  { run, data, signal, onProgress }: JudgedOptions,
): Promise<Judged> {
  await using classifier = await loadClassifier(file);
  const { task, operatingPoint } = classifier.metadata;
  const names = labelsOf(task);
  const lines = run
    .lines<{ path: string; split: string; patient: string; label?: string }>("manifest")
    .filter(({ split }) => split === "val");
  const films = lines.map(({ path, label }) => ({
    path: join(data, path),
    target: names.map((name): 0 | 1 => (name === label ? 1 : 0)),
  }));
  const parts = await readShiftMixture(classifier, films, { signal, onProgress });
  const threshold = operatingPoint?.threshold;
  const patients = lines.map(({ patient }) => patient);
  const of = (chosen: typeof parts, rounds?: number) => {
    const { n, metrics } = evaluatePredictions(
      chosen.flatMap(({ predictions }) => predictions),
      task,
      { threshold, patients: chosen.flatMap(() => patients), ...(rounds === 0 ? { rounds } : {}) },
    );
    return { n, metrics };
  };
  return {
    notice: "Both the threshold and the epoch were chosen on these films. Not for clinical use.",
    threshold,
    validation: of(parts.slice(0, 1)),
    corrupted: of(parts),
    parts: parts.map((part) => ({
      corruption: part.corruption,
      severity: part.severity,
      metrics: Object.fromEntries(
        Object.entries(of([part], 0).metrics).map(([key, { value }]) => [key, value]),
      ),
    })),
  };
}
