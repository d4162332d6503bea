/** The rows of a CSV, TSV or JSONL file as text by column, each with the line it stands on. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { parse } from "csv-parse/sync";
import { HilumError } from "../errors.ts";

export interface Row {
  /** The line in the file, the first being 1. */
  readonly line: number;
  /** Absent is "". */
  readonly cells: Readonly<Record<string, string>>;
}

/** A column of one finding, whatever else the manifest has columns for. */
export const FINDING_PREFIX = "finding:";
/** What an empty list of findings means. */
export const NO_FINDING = "No Finding";

/** Throws `file-not-found` and `manifest-invalid`. */
export async function readRows(path: string): Promise<{ header: string[]; rows: Row[] }> {
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new HilumError(
      "file-not-found",
      `The manifest ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}). Check the path.`,
      { path },
      cause,
    );
  });
  if (text.includes("\0"))
    invalid(path, 1, "it is no text file; give a CSV or JSONL file, or a folder");
  const isJson = [".jsonl", ".ndjson"].includes(extname(path).toLowerCase());
  const rows = isJson ? jsonRows(path, text) : csvRows(path, text);
  if (rows.length === 0) invalid(path, 1, "there are no rows");
  const header = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  return { header, rows };
}

/** Throws `manifest-invalid` naming the row by its line. */
export function invalid(file: string, line: number, problem: string): never {
  throw new HilumError("manifest-invalid", `${file}, row ${line}: ${problem}. Mend the manifest.`, {
    file,
    row: line,
    problem,
  });
}

function csvRows(path: string, text: string): Row[] {
  const newline = text.search(/[\r\n]/);
  const first = newline < 0 ? text : text.slice(0, newline);
  const delimiter = mostFrequent([",", ";", "\t"], first);
  try {
    const records = parse(text, {
      columns: (names: string[]) => columnsOf(path, names),
      delimiter,
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { info: { lines: number }; record: Record<string, string> }[];
    return records.map(({ info, record }) => ({ line: info.lines, cells: record }));
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    const line = (cause as { lines?: number }).lines ?? 1;
    return invalid(path, line, cause instanceof Error ? cause.message : String(cause));
  }
}

/** Columns without a name are left out, as in the label file of ChestX-ray14, whose lines end in a comma. */
function columnsOf(path: string, names: readonly string[]): (string | false)[] {
  const twice = names.find((name, index) => name !== "" && names.indexOf(name) < index);
  if (twice !== undefined) return invalid(path, 1, `there are two columns "${twice}"`);
  return names.map((name) => name || false);
}

function mostFrequent(delimiters: readonly string[], text: string): string {
  const count = (delimiter: string) => text.split(delimiter).length;
  return delimiters.reduce((best, next) => (count(next) > count(best) ? next : best));
}

function jsonRows(path: string, text: string): Row[] {
  return text.split("\n").flatMap((source, index) => {
    if (source.trim() === "" || source === "\ufeff") return [];
    const line = index + 1;
    const value = parsed(path, line, source);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return invalid(path, line, "it is no JSON object");
    return [{ line, cells: Object.fromEntries(Object.entries(value).flatMap(cellsOf)) }];
  });
}

function parsed(path: string, line: number, source: string): unknown {
  try {
    return JSON.parse(source.replace(/^\ufeff/, ""));
  } catch {
    return invalid(path, line, "it is not JSON");
  }
}

/** Lists become "a|b", as in CSV; `findings: {"Effusion": 1}` becomes a column for each finding. */
function cellsOf([name, value]: [string, unknown]): [string, string][] {
  if (Array.isArray(value))
    return [[name, value.length === 0 ? NO_FINDING : value.map(String).join("|")]];
  if (typeof value !== "object" || value === null) return [[name, String(value ?? "")]];
  if (name.toLowerCase() !== "findings") return [[name, JSON.stringify(value)]];
  return Object.entries(value).map(([finding, present]) => [
    `${FINDING_PREFIX}${finding}`,
    String(present ?? ""),
  ]);
}
