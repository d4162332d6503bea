/** What the loss is told about each sample: targets and label weights, `[count, L]`, L logits. */
import { logitCount, logitTargets } from "../classifier/index.ts";
import { classOf, type Samples, type Task } from "../datasets/index.ts";

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
  const classes = task.kind === "classes" ? classesOf(samples, task) : undefined;
  for (let logit = 0; logit < width; logit++) {
    const groupOf = (index: number): number | null => {
      if (classes) return classes[index]!;
      return weights[index * width + logit] === 0 ? null : targets[index * width + logit]!;
    };
    const factors = balancingFactors(samples.length, groupOf);
    for (let index = 0; index < samples.length; index++) {
      const group = groupOf(index);
      if (group !== null) weights[index * width + logit]! *= factors.get(group)!;
    }
  }
}

/** The class of each sample; -1 where several findings may be present. */
export function classesOf(samples: Samples, task: Task): Int16Array {
  const classes = new Int16Array(samples.length);
  samples.forEach((sample, index) => {
    classes[index] = classOf(sample, task);
  });
  return classes;
}

/** Factors by group, inverse to how often it occurs, with a mean of 1 over the members. */
function balancingFactors(
  count: number,
  groupOf: (index: number) => number | null,
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const group = groupOf(index);
    if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  const known = [...counts.values()].reduce((a, b) => a + b, 0);
  return new Map([...counts].map(([group, own]) => [group, known / (counts.size * own)]));
}
