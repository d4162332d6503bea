/** From probabilities to what is said about a film. */
import { labelsOf } from "../datasets/index.portable.ts";
import type { ClassifierMetadata } from "./metadata.ts";

export interface Reading {
  /** The class by the stored operating point; for findings, those present, joined by "|". */
  readonly label: string;
  /** Of the positive class; null where there is none. */
  readonly probability: number | null;
  readonly probabilities: Readonly<Record<string, number>>;
}

const DEFAULT_THRESHOLD = 0.5;
/** As the label file of NIH ChestX-ray14 writes it. */
const NO_FINDING = "No Finding";

/** A probability at or above the threshold is positive; several classes go by the largest. */
export function readingOf(
  probabilities: ArrayLike<number>,
  { task, operatingPoint }: Pick<ClassifierMetadata, "task" | "operatingPoint">,
): Reading {
  const labels = labelsOf(task);
  const byLabel = Object.fromEntries(labels.map((label, index) => [label, probabilities[index]!]));
  const threshold = operatingPoint?.threshold ?? DEFAULT_THRESHOLD;
  if (task.kind === "findings") {
    const present = labels.filter((label) => byLabel[label]! >= threshold);
    return { label: present.join("|") || NO_FINDING, probability: null, probabilities: byLabel };
  }
  if (task.positive !== null) {
    const probability = probabilities[task.positive]!;
    const index = probability >= threshold ? task.positive : 1 - task.positive;
    return { label: labels[index]!, probability, probabilities: byLabel };
  }
  const values = Array.from(probabilities);
  return {
    label: labels[values.indexOf(Math.max(...values))]!,
    probability: null,
    probabilities: byLabel,
  };
}
