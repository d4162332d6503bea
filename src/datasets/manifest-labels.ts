/**
 * What a manifest's columns say: one label, several joined by "|", or a column of 0 and 1 for each
 * finding (empty or -1: missing or uncertain).
 */
import { classTask, isNegativeName, orderedClasses } from "./dataset.ts";
import { FINDING_PREFIX, invalid, type Row } from "./manifest-rows.ts";
import type { Task } from "./task.ts";

export interface Labelling {
  readonly task: Task;
  /** The columns that hold labels. */
  readonly columns: ReadonlySet<string>;
  targetOf(row: Row): (0 | 1 | null)[];
}

export interface LabelSource {
  readonly file: string;
  readonly rows: readonly Row[];
  /** Columns that are neither path, patient nor split. */
  readonly columns: readonly string[];
  /** A class that the file's name tells, before any column. */
  readonly namedClass: (row: Row) => string | undefined;
}

const LABEL_COLUMNS = ["label", "class", "diagnosis", "labels", "findings", "finding labels"];
/** These may always hold several, also where none of the rows at hand does. */
const SEVERAL = new Set(["labels", "findings", "finding labels"]);

const FLAGS: ReadonlyMap<string, 0 | 1 | null> = new Map([
  ...["1", "1.0", "true", "yes"].map((text) => [text, 1] as const),
  ...["0", "0.0", "false", "no"].map((text) => [text, 0] as const),
  ...["", "-1", "-1.0", "nan", "null", "u", "uncertain"].map((text) => [text, null] as const),
]);
const flag = (text: string | undefined) => FLAGS.get((text ?? "").trim().toLowerCase());

/** A column counts as a finding where so many of its filled cells are 0 or 1; the rest are slips. */
const FLAG_SHARE = 0.9;

/** How targets are read from rows. Throws `manifest-invalid`. */
export function labelling(source: LabelSource): Labelling {
  const { columns, rows, namedClass } = source;
  const prefixed = columns.filter((name) => name.startsWith(FINDING_PREFIX));
  if (prefixed.length > 0) return findingColumns(source, prefixed);
  const label = LABEL_COLUMNS.map((name) =>
    columns.find((column) => column.trim().toLowerCase() === name),
  ).find((column) => column !== undefined);
  if (label !== undefined) return labelColumn(source, label);
  const flags = columns.filter((name) => holdsFlags(rows, name));
  if (flags.length > 0) return findingColumns(source, flags);
  if (rows.some((row) => namedClass(row) !== undefined)) return labelColumn(source, undefined);
  return invalid(
    source.file,
    1,
    `there is neither a column "label" nor a column of 0 and 1 for each finding (there are: ${columns.join(", ")})`,
  );
}

function holdsFlags(rows: readonly Row[], column: string): boolean {
  const filled = rows.filter(({ cells }) => flag(cells[column]) !== null);
  const known = filled.filter(({ cells }) => flag(cells[column]) !== undefined);
  return known.length > 0 && known.length >= FLAG_SHARE * filled.length;
}

function findingColumns({ file, rows, columns }: LabelSource, given: readonly string[]): Labelling {
  const nameOf = (column: string) =>
    column.startsWith(FINDING_PREFIX) ? column.slice(FINDING_PREFIX.length) : column;
  // "No Finding" is no finding: where it is 1, what is left open is absent.
  const none = given.filter((column) => isNegativeName(nameOf(column)));
  const findings = given.filter((column) => !none.includes(column));
  if (findings.length === 0) invalid(file, 1, `"${none.join(", ")}" is the only finding`);
  for (const { line, cells } of rows)
    for (const column of given)
      if (flag(cells[column]) === undefined)
        invalid(file, line, `"${column}" is "${cells[column]}", not 1, 0, empty or -1`);
  return {
    task: { kind: "findings", findings: findings.map(nameOf) },
    columns: new Set(columns.filter((column) => given.includes(column))),
    targetOf({ cells }) {
      const isClear = none.some((column) => flag(cells[column]) === 1);
      return findings.map((column) => flag(cells[column]) ?? (isClear ? 0 : null));
    },
  };
}

function labelColumn(source: LabelSource, column: string | undefined): Labelling {
  const { file, rows, namedClass } = source;
  const cellOf = ({ cells }: Row) => (column === undefined ? "" : (cells[column] ?? ""));
  const listed = (row: Row) =>
    cellOf(row)
      .split("|")
      .map((label) => label.trim())
      .filter(Boolean);
  const isSeveral =
    column !== undefined &&
    (SEVERAL.has(column.trim().toLowerCase()) || rows.some((row) => listed(row).length > 1));
  const columns = new Set(column === undefined ? [] : [column]);
  if (isSeveral) {
    const findings = orderedClasses(rows.flatMap(listed)).filter((name) => !isNegativeName(name));
    if (findings.length === 0) invalid(file, 1, `"${column}" names no finding in any row`);
    return {
      task: { kind: "findings", findings },
      columns,
      targetOf(row) {
        const labels = listed(row);
        return findings.map((name) => (labels.length === 0 ? null : labels.includes(name) ? 1 : 0));
      },
    };
  }
  const classOfRow = (row: Row) => namedClass(row) ?? cellOf(row).trim();
  const classes = orderedClasses(rows.map(classOfRow).filter(Boolean));
  return {
    task: classTask(classes),
    columns,
    targetOf(row) {
      const name = classOfRow(row);
      if (name === "") invalid(file, row.line, `"${column ?? "label"}" is empty`);
      return classes.map((candidate) => (candidate === name ? 1 : 0));
    },
  };
}
