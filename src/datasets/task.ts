/** What is to be told apart: classes that exclude each other, or findings that may occur together. */

export type Task =
  | {
      /** Classes exclude each other; exactly one target is 1. */
      readonly kind: "classes";
      readonly classes: readonly string[];
      /** Index of the positive class where there are two classes, else null. */
      readonly positive: number | null;
    }
  | {
      /** Several findings may be present; a target may be unknown. */
      readonly kind: "findings";
      readonly findings: readonly string[];
    };

/** Names of the classes or findings, in the order of targets. */
export function labelsOf(task: Task): readonly string[] {
  return task.kind === "classes" ? task.classes : task.findings;
}
