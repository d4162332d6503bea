/**
 * The films below a folder, found in byte order: links are followed once, what desktops and
 * archives leave behind is passed over, as are the folders of runs, and a file without an extension is asked what it is.
 */
import type { Dirent } from "node:fs";
import { open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { HilumError } from "../errors.ts";
import { detectFormat } from "../images/index.ts";
import { compareBytes } from "./dataset.ts";

export interface Found {
  /** Folder names between the root and the file. */
  readonly folders: readonly string[];
  readonly name: string;
}

export interface FilmTree {
  readonly films: readonly Found[];
  /** Files that are no films by their names. */
  readonly others: readonly Found[];
}

const IMAGE_EXTENSION = /\.(jpe?g|png|dcm|dicom|gif|webp|tiff?|bmp|jp2|jpf|heic|avif)$/i;
/** `.DS_Store`, `._film.jpeg` and the like all begin with a dot. */
const CLUTTER = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i;
/** As far as the magic bytes of any format reach. */
const MAGIC_BYTES = 512;
const NO_FILMS = new Set(["nifti", "pdf", "svg", "zip", "gzip"]);

/** Throws `file-forbidden` for a folder that may not be read, `interrupted` when aborted. */
export async function filmTree(root: string, signal?: AbortSignal): Promise<FilmTree> {
  const films: Found[] = [];
  const others: Found[] = [];
  const walk = async (folder: string, folders: readonly string[], above: readonly string[]) => {
    const real = await realpath(folder);
    if (above.includes(real)) return;
    const entries = await entriesOf(folder);
    if (folders.length > 0 && (await isRun(folder, entries))) return;
    for (const entry of entries) {
      if (signal?.aborted)
        throw new HilumError("interrupted", `Stopped while looking through ${root}.`, {
          path: root,
        });
      const path = join(folder, entry.name);
      const kind = await kindOf(entry, path);
      if (kind === "folder") await walk(path, [...folders, entry.name], [...above, real]);
      else if (kind === "film") films.push({ folders, name: entry.name });
      else if (kind === "other") others.push({ folders, name: entry.name });
    }
  };
  await walk(root, [], []);
  return { films, others };
}

/** Whether training wrote the folder: its curves and previews are no films of a class "runs". */
async function isRun(folder: string, entries: readonly Dirent[]): Promise<boolean> {
  if (!entries.some(({ name }) => name === "config.json")) return false;
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => "");
  return /"hilum":\s*"/.test(text);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !CLUTTER.test(name))
      .sort((a, b) => compareBytes(a.name, b.name));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HilumError(
      "file-forbidden",
      `The folder ${folder} cannot be read (${code}). Check its permissions.`,
      { path: folder, reason: code },
      cause,
    );
  }
}

/** Sockets, pipes and devices are nothing: reading one could wait for ever. */
async function kindOf(entry: Dirent, path: string): Promise<"folder" | "film" | "other" | null> {
  // A link that leads nowhere is kept: reading it says that it does.
  const info = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
  if (info?.isDirectory()) return "folder";
  if (info && !info.isFile()) return null;
  if (IMAGE_EXTENSION.test(entry.name)) return "film";
  if (!info || entry.name.includes(".")) return "other";
  return (await isFilm(path)) ? "film" : "other";
}

/** DICOM files often have no extension; they are to be named as what they are, not passed over. */
async function isFilm(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    const format = detectFormat(buffer.subarray(0, bytesRead));
    return format !== undefined && !NO_FILMS.has(format.name);
  } finally {
    await file.close();
  }
}
