/** The rows of a CSV file of predictions as a stream. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { parse } from "csv-parse";
import { HilumError } from "../errors.ts";

export interface Row {
  /** The line in the file, the first being 1. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** Yields row by row; `onHeader` is called once before. Throws `file-not-found` and `predictions-invalid`. */
export async function* rowsOf(
  file: string,
  onHeader: (names: readonly string[]) => void,
): AsyncGenerator<Row> {
  const delimiter = await delimiterOf(file);
  const parser = createReadStream(file).pipe(
    parse({
      columns: (names: string[]) => {
        onHeader(names);
        return names.map((name) => name || false);
      },
      delimiter,
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }),
  );
  try {
    for await (const { info, record } of parser as AsyncIterable<{
      info: { lines: number };
      record: Record<string, string>;
    }>)
      yield { line: info.lines, cells: record };
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    const { lines, message } = cause as { lines?: number; message: string };
    invalid(file, lines ?? 1, message);
  }
}

const HEADER_BYTES = 65_536;

async function delimiterOf(file: string): Promise<string> {
  const handle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    throw new HilumError(
      "file-not-found",
      `The predictions ${file} cannot be read (${cause.code}). Check the path.`,
      { path: file },
      cause,
    );
  });
  try {
    const info = await handle.stat();
    if (info.isDirectory())
      throw new HilumError(
        "file-not-found",
        `${file} is a folder. Name a file with predictions, for example ${file}/predictions.csv.`,
        { path: file },
      );
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(HEADER_BYTES) });
    const text = buffer.subarray(0, bytesRead);
    if (text.includes(0)) invalid(file, 1, "it is no text file");
    const header = text.toString("utf8").split(/[\r\n]/)[0]!;
    const count = (delimiter: string) => header.split(delimiter).length;
    return [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
  } finally {
    await handle.close();
  }
}

/** Throws `predictions-invalid`. */
export function invalid(file: string, row: number, problem: string): never {
  throw new HilumError("predictions-invalid", `${file}, row ${row}: ${problem}.`, {
    file,
    row,
    problem,
  });
}
