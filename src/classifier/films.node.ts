/** Films by file and by folder: a folder stands for all files below it. */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { HilumError } from "../errors.ts";
import type { Classifier, FileReading, ReadFilesOptions } from "./load.node.ts";

/**
 * One entry for each file at the paths, in their order; a folder's files by the path as it was
 * given joined with the path below it, in byte order. What cannot be read has an error and does
 * not stop the rest: of a folder, `folder-empty` or `file-forbidden`. Throws `interrupted`.
 *
 * @example
 * const readings = await readFilms(classifier, ["film.jpeg", "incoming"]);
 */
export async function readFilms(
  classifier: Pick<Classifier, "read">,
  paths: readonly string[],
  options: ReadFilesOptions = {},
): Promise<FileReading[]> {
  const found = await filesAtAll(paths);
  const readings = await classifier.read(
    found.filter(({ error }) => !error).map(({ path }) => path),
    options,
  );
  return found.map((file) => (file.error ? file : readings.shift()!));
}

export type FoundFile = Pick<FileReading, "path" | "error">;

/** One entry for each file at the paths, as `readFilms` reads them. */
export const filesAtAll = async (paths: readonly string[]): Promise<FoundFile[]> =>
  (await Promise.all(paths.map(filesAt))).flat();

async function filesAt(path: string): Promise<FoundFile[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isDirectory()) return [{ path }];
  const found = await filesBelow(path.replace(/\/+$/, "") || "/", []);
  if (found.length > 0) return found.sort(byBytes);
  const error = new HilumError(
    "folder-empty",
    `${path} holds no files. Name a film or a folder of films.`,
    { path },
  );
  return [{ path, error }];
}

/** What desktops and archives leave behind: `.DS_Store`, `._film.jpeg` and the like begin with a dot. */
const CLUTTER = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i;

async function filesBelow(folder: string, above: readonly string[]): Promise<FoundFile[]> {
  try {
    const real = await realpath(folder);
    // A link to a folder above would lead round for ever.
    if (above.includes(real)) return [];
    const entries = await readdir(folder, { withFileTypes: true });
    const nested = entries
      .filter(({ name }) => !CLUTTER.test(name))
      .map(async (entry): Promise<FoundFile[]> => {
        const path = folder === "/" ? `/${entry.name}` : `${folder}/${entry.name}`;
        const kind = await kindOf(entry, path);
        if (kind === "folder") return filesBelow(path, [...above, real]);
        return kind === "file" ? [{ path }] : [];
      });
    return (await Promise.all(nested)).flat();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const error = new HilumError(
      "file-forbidden",
      `The folder ${folder} cannot be read (${code}). Check its permissions.`,
      { path: folder, reason: code },
      cause,
    );
    return [{ path: folder, error }];
  }
}

/** Links are followed. Reading a socket, pipe or device could wait for ever. */
async function kindOf(entry: Dirent, path: string): Promise<"folder" | "file" | null> {
  const info = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
  if (info?.isDirectory()) return "folder";
  // A link that leads nowhere is kept: reading it says that it does.
  return !info || info.isFile() ? "file" : null;
}

function byBytes(a: FoundFile, b: FoundFile): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
