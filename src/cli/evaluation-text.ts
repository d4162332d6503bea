/** An evaluation for a terminal. */
import type { Report } from "../evaluation/index.ts";
import {
  BAND_HEAD,
  bandRows,
  bandText,
  CALIBRATION_HEAD,
  calibrationRows,
  classHead,
  classRows,
  embeddingText,
  FINDING_HEAD,
  faithfulnessHead,
  faithfulnessRows,
  faithfulnessText,
  findingRows,
  METRIC_HEAD,
  metricRows,
  prevalenceRows,
  ROBUSTNESS_HEAD,
  robustnessRows,
  SHIFT_HEAD,
  SUBGROUP_HEAD,
  sanityText,
  shiftRows,
  subgroupRemarks,
  subgroupRows,
} from "../evaluation/index.ts";
import { table } from "./table.ts";

/** The numbers for people. */
export function evaluationText({
  evaluation,
  analysis,
  shift,
  uncertainBand,
  robustness,
  faithfulness,
}: Pick<Report, "evaluation"> & Partial<Report>): string {
  const { n, patients, positive, threshold, confusion, metrics, perClass } = evaluation;
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
  if (analysis?.uncalibrated)
    parts.push(table(calibrationRows(analysis.uncalibrated, metrics), CALIBRATION_HEAD));
  if (perClass) parts.push(table(classRows(perClass), classHead(evaluation)));
  if (analysis?.byFinding) parts.push(table(findingRows(analysis.byFinding), FINDING_HEAD));
  if (analysis?.atPrevalence) {
    const rows = prevalenceRows(analysis.atPrevalence);
    parts.push(table(rows, ["at prevalence", "value", "95 % interval"]));
  }
  if (analysis?.subgroups)
    parts.push(
      `${table(subgroupRows(analysis.subgroups), SUBGROUP_HEAD)}\n${subgroupRemarks(analysis.subgroups).join("\n")}`,
    );
  if (uncertainBand) parts.push(bandText(uncertainBand), table(bandRows(uncertainBand), BAND_HEAD));
  if (shift)
    parts.push(
      shift.reason === null
        ? `against ${shift.against}\n${table(shiftRows(shift), SHIFT_HEAD)}\n${embeddingText(shift)}`
        : `against validation: ${shift.reason}`,
    );
  if (robustness)
    for (const [key, head] of Object.entries(ROBUSTNESS_HEAD))
      parts.push(table(robustnessRows(robustness, key as keyof typeof ROBUSTNESS_HEAD), head));
  if (faithfulness) {
    parts.push(faithfulnessText(faithfulness));
    if ("methods" in faithfulness)
      for (const method of faithfulness.methods) {
        const rows = faithfulnessRows(method, faithfulness);
        parts.push(`${table(rows, faithfulnessHead(method))}\n${sanityText(method)}`);
      }
  }
  return parts.join("\n\n");
}
