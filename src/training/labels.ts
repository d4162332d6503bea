/** What the loss is told about each sample: targets and label weights, `[count, L]`, L logits. */
import { logitCount, logitTargets } from "../classifier/index.ts";
import type { Samples, Task } from "../datasets/index.ts";

export interface Labels {
  /** Logits per image. */
  readonly width: number;
  readonly targets: Float32Array;
  /** 0 for labels that are missing or uncertain. */
  readonly weights: Float32Array;
}

/**
 * The labels of all samples. When balanced, both values of each logit's target weigh equally in the
 * whole: a label counts known / (2 equal labels), and of K exclusive classes known / (K of the class);
 * the mean weight of known labels stays 1. Source: King and Zeng 2001, "Logistic regression in rare
 * events data", section 4.2.
 */
export function labelsForLoss(
  samples: Samples,
  task: Task,
  { isBalanced }: { readonly isBalanced: boolean },
): Labels {
  const width = logitCount(task);
  const targets = new Float32Array(samples.length * width);
  const weights = new Float32Array(samples.length * width);
  samples.forEach((sample, index) => {
    const label = logitTargets(sample, task);
    targets.set(label.targets, index * width);
    weights.set(label.weights, index * width);
  });
  if (isBalanced) balance(samples, task, { width, targets, weights });
  return { width, targets, weights };
}

function balance(samples: Samples, task: Task, { width, targets, weights }: Labels) {
  const isExclusive = task.kind === "classes";
  for (let logit = 0; logit < width; logit++) {
    const groups = samples.map((sample, index) => {
      if (isExclusive) return sample.target.indexOf(1);
      return weights[index * width + logit] === 0 ? null : targets[index * width + logit]!;
    });
    const factors = balancingFactors(groups);
    groups.forEach((group, index) => {
      if (group !== null) weights[index * width + logit]! *= factors.get(group)!;
    });
  }
}

/** Factors by group, inverse to how often it occurs, with a mean of 1 over the members. */
function balancingFactors(groups: readonly (number | null)[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const group of groups) if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1);
  const known = [...counts.values()].reduce((a, b) => a + b, 0);
  return new Map([...counts].map(([group, count]) => [group, known / (counts.size * count)]));
}
