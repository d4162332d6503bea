/** The logit of a label. */
import { labelsOf, type Task } from "../datasets/index.portable.ts";
import { HilumError, nearest } from "../errors.ts";
import { operators as op, type Value } from "../onnx/index.ts";

/** The label that is asked for, or the positive one; null: of each film the most probable. */
export function explainedLabel(task: Task, asked?: string): string | null {
  const labels = labelsOf(task);
  if (asked === undefined)
    return task.kind === "classes" && task.positive !== null ? labels[task.positive]! : null;
  if (labels.includes(asked)) return asked;
  const suggestion = nearest(asked, labels);
  throw new HilumError(
    "invalid-option",
    `The model knows no class "${asked}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${labels.join(", ")}.`,
    { option: "class", value: asked, suggestion, allowed: labels },
  );
}

/** The logit `[N, 1]` of the label; with null the largest of each film. */
export function logitOf(logits: Value, task: Task, label: string | null): Value {
  if (label === null) return op.reduceMax(logits, { axes: [1] });
  const index = labelsOf(task).indexOf(label);
  if (task.kind === "classes" && task.positive !== null)
    return index === task.positive ? logits : op.neg(logits);
  return op.slice(logits, [{ axis: 1, start: index, end: index + 1 }]);
}

/** What the logits of a film are multiplied by to give that of the label. */
export function logitFactors(task: Task, label: string): number[] {
  const index = labelsOf(task).indexOf(label);
  if (task.kind === "classes" && task.positive !== null) return [index === task.positive ? 1 : -1];
  return labelsOf(task).map((_, other) => (other === index ? 1 : 0));
}
