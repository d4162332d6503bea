/** The audit as text for a terminal and as one HTML page. */
import { readImage } from "../images/index.ts";
import { escapeHtml, htmlPicture, htmlTable, page } from "../page.ts";
import { randomStream } from "../random.ts";
import type { Audit, Range } from "./audit.ts";
import { contactSheet } from "./contact-sheet.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { labelsOf } from "./task.ts";

const shown = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
const rangeText = (range: Range | null) =>
  range ? `${shown(range.min)} to ${shown(range.max)}, median ${shown(range.median)}` : "–";

function summaryRows(audit: Audit): [string, string | number][] {
  return [
    ["images", audit.images],
    ["patients", audit.patients],
    ["layout", audit.layout],
    ["width", rangeText(audit.width)],
    ["height", rangeText(audit.height)],
    ["aspect ratio", rangeText(audit.aspect)],
    ["unreadable", audit.unreadable.length],
    ["identical copies", `${audit.exactDuplicates.length} groups`],
    ["look the same", `${audit.nearDuplicates.length} pairs`],
  ];
}

function countRows(audit: Audit): (string | number)[][] {
  return Object.entries(audit.counts).map(([split, counts]) => [
    split,
    ...audit.labels.map((label) => counts[label]!),
  ]);
}

/** Lines for a terminal. */
export function auditText(audit: Audit): string {
  const width = Math.max(...summaryRows(audit).map(([name]) => name.length)) + 2;
  return [
    ...summaryRows(audit).map(([name, value]) => `${name.padEnd(width)}${value}`),
    "",
    ["split", ...audit.labels].map((text) => text.padEnd(12)).join(" "),
    ...countRows(audit).map((row) => row.map((cell) => String(cell).padEnd(12)).join(" ")),
    "",
    ...(audit.findings.length === 0
      ? ["Nothing wrong was found."]
      : audit.findings.map(({ severity, message }) => `${severity.padEnd(8)} ${message}`)),
  ].join("\n");
}

/** One self-contained HTML page; `sheet` is a contact sheet as PNG. */
export function auditPage(audit: Audit, sheet?: Uint8Array): string {
  const findings = audit.findings
    .map(
      ({ severity, message }) =>
        `<li class="${severity}"><strong>${severity}</strong> ${escapeHtml(message)}</li>`,
    )
    .join("");
  const telling = audit.separations
    .toSorted((a, b) => Math.abs(b.auroc - 0.5) - Math.abs(a.auroc - 0.5))
    .slice(0, 12)
    .map(({ first, second, feature, auroc }) => [
      feature,
      `${first} / ${second}`,
      auroc.toFixed(3),
    ]);
  return page({
    title: "Audit of a data set",
    body: [
      '<p class="lead">What is in the folder, and what a reviewer would ask about it.</p>',
      `<h2>Findings</h2>${findings ? `<ul class="findings">${findings}</ul>` : "<p>Nothing wrong was found.</p>"}`,
      `<h2>Contents</h2><div class="side">${htmlTable(summaryRows(audit))}${htmlTable(countRows(audit), ["split", ...audit.labels])}</div>`,
      sheet
        ? `<h2>Samples by class</h2>${htmlPicture(sheet, audit.labels.map((label, i) => `row ${i + 1}: ${label}`).join(", "))}`
        : "",
      telling.length > 0
        ? `<h2>What plain numbers give away</h2><p class="lead">AUROC of one number for telling two groups apart; 0.5 is no difference, 0 and 1 are complete.</p>${htmlTable(telling, ["number", "groups", "AUROC"])}`
        : "",
      audit.unreadable.length > 0
        ? `<h2>Unreadable files</h2>${htmlTable(
            audit.unreadable.slice(0, 200).map(({ key, message }) => [key, message]),
            ["file", "why"],
          )}`
        : "",
      audit.exactDuplicates.length > 0
        ? `<h2>Identical copies</h2>${htmlTable(audit.exactDuplicates.slice(0, 200).map(({ keys }) => [keys.join(", ")]))}`
        : "",
    ].join("\n"),
  });
}

const COLUMNS = 8;

/** A row of films for each label, drawn by seed. */
export async function auditSheet(dataset: Dataset, seed = 1): Promise<Uint8Array> {
  const rows = labelsOf(dataset.task).map((label, index) => {
    const films = dataset.samples.filter(({ target }) => target[index] === 1);
    return randomStream(seed, "contact-sheet", label).shuffled(films).slice(0, COLUMNS);
  });
  const blank = { width: 1, height: 1, pixels: Uint8Array.of(20) };
  const read = (sample: Sample | undefined) =>
    sample
      ? readImage(sample.path, { name: sample.key }).catch(() => blank)
      : Promise.resolve(blank);
  const cells = await Promise.all(
    rows.flatMap((row) => Array.from({ length: COLUMNS }, (_, i) => read(row[i]))),
  );
  return contactSheet(cells, { columns: COLUMNS, cellSize: 150 });
}
