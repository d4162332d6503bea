/** An evaluation for a terminal. */
import type { Evaluation } from "../evaluation/index.ts";
import { CLASS_HEAD, classRows, METRIC_HEAD, metricRows } from "../evaluation/index.ts";
import { table } from "./table.ts";

/** The numbers for people. */
export function evaluationText({
  n,
  patients,
  positive,
  threshold,
  confusion,
  metrics,
  perClass,
}: Evaluation): string {
  const parts = [
    table([
      ["images", n],
      ...(patients === null ? [] : [["patients", patients] as const]),
      ...(positive === null ? [] : [["positive", positive] as const]),
      ...(threshold === null
        ? []
        : [["operating point", `probability >= ${threshold.toFixed(4)}`] as const]),
    ]),
    table(metricRows(metrics), METRIC_HEAD),
  ];
  if (confusion)
    parts.push(
      table(
        confusion.matrix.map((row, index) => [confusion.labels[index]!, ...row]),
        ["true \\ predicted", ...confusion.labels],
      ),
    );
  if (perClass) parts.push(table(classRows(perClass), CLASS_HEAD));
  return parts.join("\n\n");
}
