/** From probabilities to what is said about a film. */
import { labelsOf } from "../datasets/index.portable.ts";
import { NO_GATE, type Verdict } from "./gate/scores.ts";
import type { ClassifierMetadata } from "./metadata.ts";

export interface Reading extends Verdict {
  /**
   * The class by the stored operating point; for findings, those present, joined by "|"; null of
   * an image that is not assessed.
   */
  readonly label: string | null;
  /** Of the positive class; null where there is none, or the image is not assessed. */
  readonly probability: number | null;
  /** As if the image were assessed: for measuring, not to be shown of one that is not. */
  readonly probabilities: Readonly<Record<string, number>>;
}

const DEFAULT_THRESHOLD = 0.5;
/** As the label file of NIH ChestX-ray14 writes it. */
const NO_FINDING = "No Finding";

/** A probability at or above the threshold is positive; several classes go by the largest. */
export function readingOf(
  probabilities: ArrayLike<number>,
  metadata: Pick<ClassifierMetadata, "task" | "operatingPoint">,
  verdict: Verdict = NO_GATE,
): Reading {
  const said = saidOf(probabilities, metadata);
  return { ...said, ...(verdict.assessed ? {} : { label: null, probability: null }), ...verdict };
}

function saidOf(
  probabilities: ArrayLike<number>,
  { task, operatingPoint }: Pick<ClassifierMetadata, "task" | "operatingPoint">,
): Pick<Reading, "label" | "probability" | "probabilities"> {
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
