/** The audit as lines for a terminal. */
import type { Audit } from "./audit.ts";
import { rounded } from "./audit-findings.ts";
import { counted } from "./wording.ts";

const WIDTH = 96;

/** Plain text without colours, at most 96 columns wide but for long names. */
export function auditText(audit: Audit): string {
  const known = audit.patients - audit.patientsUnknown;
  const patients =
    audit.patientsUnknown === audit.images ? "patients unknown" : counted(known, "patient");
  const size = audit.measures["image area"];
  const [common] = audit.sizes;
  return [
    `${audit.root}  (${audit.layout})`,
    `${counted(audit.images, "image")}, ${patients}, ${audit.labels.length} ${audit.kind}`,
    "",
    ...table([
      ["split", "images", "patients", ...audit.labels],
      ...audit.splits.map(({ split, images, patients: count, labels }) => [
        split,
        ...[images, count, ...audit.labels.map((label) => labels[label]!)].map((n) =>
          n.toLocaleString("en"),
        ),
      ]),
    ]),
    "",
    ...(size && common
      ? [
          `${counted(audit.distinctSizes, "size")}; most often ${common.width} x ${common.height} (${counted(common.images, "image")})`,
          ...table([
            ["measure", "5 %", "median", "95 %"],
            ...Object.entries(audit.measures).map(([name, { all }]) => [
              name,
              ...[all.low, all.median, all.high].map(rounded),
            ]),
          ]),
          "",
        ]
      : []),
    ...findingLines(audit),
  ].join("\n");
}

function findingLines({ findings }: Audit): string[] {
  if (findings.length === 0) return ["Nothing wrong was found."];
  return findings.flatMap(({ severity, message, advice }) => [
    ...wrapped(`${severity.toUpperCase().padEnd(8)} ${message}`),
    ...(advice ? wrapped(`         -> ${advice}`, 12) : []),
  ]);
}

function wrapped(text: string, indent = 9): string[] {
  const lines: string[] = [];
  let line = /^ */.exec(text)![0];
  for (const word of text.trim().split(/ (?! )/)) {
    const isFirst = line.trim() === "";
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Columns aligned: the first to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
