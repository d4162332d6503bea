/** The audit as one HTML page. */
import { basename } from "node:path";
import { escapeHtml, htmlTable, page } from "../page.ts";
import type { Audit, DuplicateGroup, Range } from "./audit.ts";
import { MEASURES } from "./audit-differences.ts";
import { type Finding, rounded } from "./audit-findings.ts";
import type { AuditPictures } from "./audit-pictures.ts";
import { FILM_GRID_STYLE, filmGrid } from "./film-grid.ts";
import { counted } from "./wording.ts";

/** A list on the page ends here; the JSON has it whole. */
const LONGEST_LIST = 200;

const STYLE = `${FILM_GRID_STYLE}
ul.findings p { margin: 0; } ul.findings .advice { color: var(--quiet); font-size: .93rem; margin-top: .15rem; }
ul.findings b { text-transform: capitalize; }
.groups { display: flex; flex-wrap: wrap; gap: 1.2rem; } .groups .films { display: flex; gap: .2rem; } .groups figure { width: 8.5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; } h3 small { color: var(--quiet); font-weight: 400; }
.strip { width: 15rem; height: 1.1rem; display: block; } .strip line { stroke: var(--accent); } .strip .rail { stroke: var(--line); }
details { margin: .6rem 0; } summary { cursor: pointer; }
td.share { white-space: nowrap; } td .bar { display: inline-block; height: .55rem; background: var(--accent); border-radius: 2px; margin-right: .4rem; min-width: 1px; }
`;

/** One self-contained HTML page; without `pictures` it shows no film. Keys of films are on it. */
export function auditPage(audit: Audit, pictures?: AuditPictures): string {
  return page({
    title: `Audit of ${basename(audit.root)}`,
    style: STYLE,
    body: [
      `<p class="lead">${escapeHtml(lead(audit))}</p>`,
      section("What was found", findingList(audit.findings)),
      section("Contents", countTable(audit)),
      pictures &&
        section(
          "Films, drawn at random",
          pictures.byLabel
            .map(({ label, films }) => `<h3>${escapeHtml(label)}</h3>${filmGrid(films)}`)
            .join(""),
        ),
      section("Sizes and grey levels", measureTables(audit)),
      pictures?.nearDuplicates.length
        ? section(
            "Films that look the same",
            `<p class="lead">Not identical, but saved again, scaled or changed in contrast; identical copies are listed below.</p><div class="groups">${pictures.nearDuplicates.map(filmGrid).join("")}</div>`,
          )
        : "",
      section("Lists", lists(audit)),
    ]
      .filter(Boolean)
      .join("\n"),
  });
}

const section = (title: string, body: string): string =>
  body === "" ? "" : `<section><h2>${title}</h2>${body}</section>`;

function lead({ images, patients, patientsUnknown, labels, kind, layout }: Audit): string {
  const known =
    patientsUnknown === images
      ? "patients unknown"
      : `${counted(patients - patientsUnknown, "patient")}`;
  return `${counted(images, "image")}, ${known}; ${kind}: ${labels.join(", ")} (${layout.replace("-", " ")}).`;
}

function findingList(findings: readonly Finding[]): string {
  if (findings.length === 0) return "<p>Nothing wrong was found.</p>";
  const items = findings.map(
    ({ severity, message, advice }) =>
      `<li class="${severity}"><p><b>${severity}:</b> ${escapeHtml(message)}</p>${advice ? `<p class="advice">${escapeHtml(advice)}</p>` : ""}</li>`,
  );
  return `<ul class="findings">${items.join("")}</ul>`;
}

function countTable({ splits, labels }: Audit): string {
  const rows = splits.map(({ split, images, patients, labels: counts }) => {
    const shares = labels.map((label) => {
      const share = counts[label]! / images;
      return `<td class="share"><span class="bar" style="width:${(5 * share).toFixed(2)}rem"></span>${counts[label]!.toLocaleString("en")} <small>(${(100 * share).toFixed(0)} %)</small></td>`;
    });
    const numbers = [images, patients].map(
      (count) => `<td class="number">${count.toLocaleString("en")}</td>`,
    );
    return `<tr><td>${escapeHtml(split)}</td>${numbers.join("")}${shares.join("")}</tr>`;
  });
  const head = ["part", "images", "patients", ...labels];
  return `<div class="scroll"><table><thead><tr>${head.map((name) => `<th>${escapeHtml(name)}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** For each measure a row of strips: 5 % to 95 % of the films, and their median. */
function measureTables({ measures, labels, differences, sizes, distinctSizes }: Audit): string {
  if (Object.keys(measures).length === 0) return "";
  const common = sizes
    .slice(0, 3)
    .map(({ width, height, images }) => `${width} x ${height} (${images.toLocaleString("en")})`);
  const blocks = MEASURES.map(({ name, unit }) => {
    const { all, byLabel } = measures[name]!;
    if (all.low === all.high)
      return `<h3>${name} <small>${unit}: ${rounded(all.low)} in ${all.min === all.max ? "all" : "nearly all"} films</small></h3>`;
    const rows = labels.flatMap((label) => {
      const range = byLabel[label];
      return range ? [stripRow(label, range, all)] : [];
    });
    const telling = differences
      .filter(({ measure, between }) => measure === name && between === "labels")
      .map(({ auroc }) => Math.max(auroc, 1 - auroc));
    const auroc =
      telling.length === 0
        ? ""
        : `; tells labels apart with AUROC ${telling.length > 1 ? "up to " : ""}${Math.max(...telling).toFixed(2)}`;
    return `<h3>${name} <small>${unit}${auroc}</small></h3><div class="scroll"><table><tbody>${rows.join("")}</tbody></table></div>`;
  });
  return `<p class="lead">${counted(distinctSizes, "size")}, most often ${common.join(", ")}. Lines span 5 % to 95 % of a label's films, with a mark at the median. An AUROC of 0.5 tells nothing, 1 everything.</p>${blocks.join("")}`;
}

function stripRow(label: string, range: Range, { low, high }: Range): string {
  const span = high - low || 1;
  const x = (value: number) =>
    (2 + 236 * Math.min(1, Math.max(0, (value - low) / span))).toFixed(1);
  const numbers = `${rounded(range.low)} · ${rounded(range.median)} · ${rounded(range.high)}`;
  return `<tr><td>${escapeHtml(label)}</td><td><svg class="strip" viewBox="0 0 240 18" role="img" aria-label="${numbers}"><line class="rail" x1="2" y1="9" x2="238" y2="9"/><line x1="${x(range.low)}" y1="9" x2="${x(range.high)}" y2="9" stroke-width="5"/><line x1="${x(range.median)}" y1="2" x2="${x(range.median)}" y2="16" stroke-width="3"/></svg></td><td>${numbers}</td></tr>`;
}

function lists(audit: Audit): string {
  const marks = ({ crossesSplits, crossesPatients, hasConflict }: DuplicateGroup) =>
    [
      hasConflict && "labels differ",
      crossesSplits && "in several splits",
      crossesPatients && "of several patients",
    ]
      .filter(Boolean)
      .join(", ");
  const groups = (list: readonly DuplicateGroup[]) =>
    list.map((group) => [group.keys.join(" = "), marks(group)]);
  return [
    details(
      "Unreadable files",
      ["file", "why"],
      audit.unreadable.map(({ key, message }) => [key, message]),
    ),
    details("Identical copies", ["files", ""], groups(audit.exactDuplicates)),
    details("Films that look the same", ["files", ""], groups(audit.nearDuplicates)),
    details(
      "Patients in several splits",
      ["patient", "images"],
      audit.patientsAcrossSplits.map(({ patient, splits }) => [
        patient,
        Object.entries(splits)
          .map(([split, count]) => `${count} in ${split}`)
          .join(", "),
      ]),
    ),
  ].join("");
}

function details(title: string, head: readonly string[], rows: readonly string[][]): string {
  if (rows.length === 0) return "";
  const more =
    rows.length > LONGEST_LIST
      ? `<p class="lead">and ${(rows.length - LONGEST_LIST).toLocaleString("en")} more: see --json.</p>`
      : "";
  return `<details><summary>${title} (${rows.length.toLocaleString("en")})</summary>${htmlTable(rows.slice(0, LONGEST_LIST), head)}${more}</details>`;
}
