/** Manifests: a CSV or JSONL file with a row per image, and the NIH ChestX-ray14 label file. */
import { readdir, readFile } from "node:fs/promises";
import { basename, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { parse } from "csv-parse/sync";
import { HilumError } from "../errors.ts";
import { classTask, compareBytes, isNegativeName, orderedClasses, type Sample } from "./dataset.ts";
import type { FolderReading } from "./folders.ts";
import type { OpenOptions } from "./open.ts";
import { patientReader } from "./patient.ts";
import type { Task } from "./task.ts";

type Row = Readonly<Record<string, string>>;

/** Column names by meaning, in lower case; the first that is there counts. */
const COLUMNS = {
  path: ["path", "file", "filename", "image", "image index"],
  label: ["label", "class", "finding labels", "labels"],
  patient: ["patient", "patient id", "patient_id", "patientid"],
  split: ["split", "dataset", "fold"],
} as const;

const MANIFEST_NAMES = [
  "manifest.csv",
  "manifest.jsonl",
  "Data_Entry_2017.csv",
  "Data_Entry_2017_v2020.csv",
];
const YES = new Set(["1", "1.0", "true", "yes"]);
const NO = new Set(["0", "0.0", "false", "no"]);

/** The manifest in a folder, if it has one. */
export async function findManifest(root: string): Promise<string | undefined> {
  const names = new Set(await readdir(root));
  const name = MANIFEST_NAMES.find((candidate) => names.has(candidate));
  return name && join(root, name);
}

/** The samples of a manifest. Throws `manifest-invalid` naming the row. */
export async function readManifest(
  path: string,
  options: OpenOptions & { readonly root: string },
): Promise<FolderReading> {
  const rows = await readRows(path);
  const header = Object.keys(rows[0] ?? {});
  const column = (meaning: keyof typeof COLUMNS): string | undefined =>
    COLUMNS[meaning]
      .map((name) => header.find((key) => key.trim().toLowerCase() === name))
      .find(Boolean);
  const pathColumn = column("path");
  if (!pathColumn) return invalid(path, 1, `it has no column "path" (it has ${header.join(", ")})`);
  const named = {
    path: pathColumn,
    label: column("label"),
    patient: column("patient"),
    split: column("split"),
  };
  const labels = labelling(path, rows, header, named);
  const patientOf = patientReader(options.patientPattern);
  const seen = new Map<string, number>();
  const images =
    named.path.toLowerCase() === "image index" ? await indexByName(options.root) : undefined;
  const samples = rows.map((row, index): Sample => {
    const line = index + 2;
    const given = row[named.path] ?? "";
    const full = images?.get(given) ?? resolve(options.root, given);
    const key = relative(options.root, full).split(sep).join("/");
    if (given === "") invalid(path, line, `"${named.path}" is empty`);
    if (key.startsWith("../") || isAbsolute(key))
      invalid(path, line, `"${given}" leads out of the data set's folder`);
    const earlier = seen.get(key);
    if (earlier !== undefined) invalid(path, line, `"${given}" is in row ${earlier} already`);
    seen.set(key, line);
    const patient = (named.patient && row[named.patient]) || patientOf(basename(full));
    return {
      key,
      path: full,
      split: (named.split && row[named.split]) || null,
      target: labels.targetOf(row, line),
      patient: patient || `file:${key}`,
      columns: Object.fromEntries(
        Object.entries(row).filter(
          ([name]) => !Object.values(named).includes(name) && !labels.columns.has(name),
        ),
      ),
    };
  });
  return { root: options.root, layout: "manifest", task: labels.task, samples, problems: [] };
}

interface Labelling {
  readonly task: Task;
  readonly columns: ReadonlySet<string>;
  targetOf(row: Row, line: number): (0 | 1 | null)[];
}

/** One label column (several findings joined by "|"), or a column of 0 and 1 for every finding. */
function labelling(
  file: string,
  rows: readonly Row[],
  header: readonly string[],
  named: {
    readonly path: string;
    readonly label: string | undefined;
    readonly patient: string | undefined;
    readonly split: string | undefined;
  },
): Labelling {
  if (named.label !== undefined) return labelColumn(file, rows, named.label);
  const rest = header.filter((name) => !Object.values(named).includes(name));
  const isBinary = (name: string) =>
    rows.every(
      (row) => isUnknown(row[name]) || YES.has(flag(row[name])) || NO.has(flag(row[name])),
    );
  const findings = rest.filter(isBinary);
  if (findings.length === 0)
    return invalid(
      file,
      1,
      'it has neither a column "label" nor a column of 0 and 1 for each finding',
    );
  return {
    task: { kind: "findings", findings },
    columns: new Set(findings),
    targetOf: (row) =>
      findings.map((name) => (isUnknown(row[name]) ? null : YES.has(flag(row[name])) ? 1 : 0)),
  };
}

const flag = (text: string | undefined): string => (text ?? "").trim().toLowerCase();
const isUnknown = (text: string | undefined): boolean =>
  ["", "-1", "-1.0", "nan", "u"].includes(flag(text));

function labelColumn(file: string, rows: readonly Row[], column: string): Labelling {
  const labelsOf = (row: Row) =>
    (row[column] ?? "")
      .split("|")
      .map((label) => label.trim())
      .filter(Boolean);
  const isSeveral = rows.some((row) => labelsOf(row).length > 1);
  const names = orderedClasses(rows.flatMap(labelsOf)).filter(
    (name) => !isSeveral || !isNegativeName(name),
  );
  return {
    task: isSeveral ? { kind: "findings", findings: names } : classTask(names),
    columns: new Set(),
    targetOf(row, line) {
      const labels = labelsOf(row);
      if (labels.length === 0) invalid(file, line, `"${column}" is empty`);
      return names.map((name) => (labels.includes(name) ? 1 : 0));
    },
  };
}

async function readRows(path: string): Promise<Row[]> {
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new HilumError(
      "file-not-found",
      `There is no manifest "${path}". Check the path.`,
      { path },
      cause,
    );
  });
  const rows = extname(path) === ".jsonl" ? jsonRows(path, text) : csvRows(path, text);
  if (rows.length === 0) invalid(path, 1, "it has no rows");
  return rows;
}

function csvRows(path: string, text: string): Row[] {
  try {
    return parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true }) as Row[];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HilumError(
      "manifest-invalid",
      `${path}: ${reason}. Mend the row.`,
      { file: path },
      cause,
    );
  }
}

function jsonRows(path: string, text: string): Row[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      const row = JSON.parse(line) as Record<string, unknown>;
      return [
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [
            key,
            Array.isArray(value) ? value.join("|") : String(value ?? ""),
          ]),
        ),
      ];
    } catch {
      return invalid(path, index + 1, "it is not JSON");
    }
  });
}

/** The NIH label file names images that lie in images_001/images/ and so on. */
async function indexByName(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.sort(compareBytes).map((file) => [basename(file), file]));
}

function invalid(file: string, row: number, problem: string): never {
  throw new HilumError("manifest-invalid", `${file}, row ${row}: ${problem}. Mend the row.`, {
    file,
    row,
    problem,
  });
}
