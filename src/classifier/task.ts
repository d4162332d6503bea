/** How a task becomes logits and logits become probabilities. */
import type { Sample, Task } from "../datasets/index.portable.ts";
import { operators as op, type Value } from "../onnx/index.ts";

/** Logits per image: one for two classes, else one for each class or finding. */
export function logitCount(task: Task): number {
  if (task.kind === "findings") return task.findings.length;
  return task.positive === null ? task.classes.length : 1;
}

/** Probabilities `[N, C]` in the order of the labels, from logits `[N, logitCount(task)]`. */
export function probabilitiesOf(logits: Value, task: Task): Value {
  if (task.kind === "findings") return op.sigmoid(logits);
  if (task.positive === null) return op.softmax(logits, -1);
  const positive = op.sigmoid(logits);
  const negative = op.sigmoid(op.neg(logits));
  return op.concat(task.positive === 1 ? [negative, positive] : [positive, negative], 1);
}

/** A sample's training targets and label weights, one for each logit; unknown labels weigh nothing. */
export function logitTargets(
  sample: Sample,
  task: Task,
): { readonly targets: readonly number[]; readonly weights: readonly number[] } {
  const isBinary = task.kind === "classes" && task.positive !== null;
  const labels = isBinary ? [sample.target[task.positive] ?? 0] : sample.target;
  return {
    targets: labels.map((label) => label ?? 0),
    weights: labels.map((label) => (label === null ? 0 : 1)),
  };
}
