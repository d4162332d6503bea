/** Folder layouts: CLASS/*, split/CLASS/*, and the public archive as unpacked. */
import { readdir } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import {
  classTask,
  compareBytes,
  type DatasetProblem,
  type Layout,
  orderedClasses,
  type Sample,
} from "./dataset.ts";
import type { OpenOptions } from "./open.ts";
import { compilePattern, patientReader } from "./patient.ts";
import type { Task } from "./task.ts";

export interface FolderReading {
  readonly root: string;
  readonly layout: Layout;
  readonly task: Task;
  readonly samples: readonly Sample[];
  readonly problems: readonly DatasetProblem[];
}

const SPLIT_NAMES: Readonly<Record<string, string>> = {
  train: "train",
  training: "train",
  val: "val",
  valid: "val",
  validation: "val",
  dev: "val",
  test: "test",
  testing: "test",
};
const IMAGE_EXTENSION = /\.(jpe?g|png|dcm|dicom|gif|webp|tiff?|bmp)$/i;
/** What archives and desktops leave behind. */
const CLUTTER = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/;

interface Found {
  /** Folder names between the root and the file. */
  readonly folders: readonly string[];
  readonly path: string;
}

/** The samples below `root`, whose class is the folder they lie in. */
export async function readFolders(root: string, options: OpenOptions): Promise<FolderReading> {
  const top = await descend(root);
  const files: Found[] = [];
  const stray: string[] = [];
  await collect(top, [], files, stray);
  const isSplit = files.some(({ folders }) => splitOf(folders) !== null);
  const classOfName = labelReader(options.labelPattern);
  const patientOf = patientReader(options.patientPattern);
  const labelled = files
    // Next to split folders, a folder that is no split is a nested copy of the archive.
    .filter(({ folders }) => !isSplit || splitOf(folders) !== null)
    .map(({ folders, path }) => ({
      folders,
      path,
      name: classOfName(basename(path)) ?? folders.at(-1),
    }))
    .filter(
      (file): file is typeof file & { name: string } =>
        file.name !== undefined && !(file.name in SPLIT_NAMES),
    );
  const classes = orderedClasses(labelled.map(({ name }) => name));
  const samples = labelled.map(({ folders, path, name }): Sample => {
    const key = relative(top, path).split(sep).join("/");
    return {
      key,
      path,
      split: isSplit ? splitOf(folders) : null,
      target: classes.map((label) => (label === name ? 1 : 0)),
      patient: patientOf(basename(path)) ?? `file:${key}`,
      columns: {},
    };
  });
  return {
    root: top,
    layout: isSplit ? "split-folders" : "class-folders",
    task: classTask(classes),
    samples,
    problems: stray.map((path) => ({
      code: "file-ignored",
      key: relative(top, path).split(sep).join("/"),
      severity: "note",
      message: `${relative(top, path)} is not an image by its name and was left out.`,
    })),
  };
}

function splitOf(folders: readonly string[]): string | null {
  return SPLIT_NAMES[folders[0]?.toLowerCase() ?? ""] ?? null;
}

function labelReader(pattern: string | undefined): (fileName: string) => string | undefined {
  if (pattern === undefined) return () => undefined;
  const expression = compilePattern(pattern, "--label-pattern");
  return (fileName) => {
    const match = expression.exec(fileName);
    return match ? (match[1] ?? match[0]).toUpperCase() : undefined;
  };
}

/** Follows single nested folders, as archives make them: chest_xray/chest_xray/{train,val,test}. */
async function descend(root: string): Promise<string> {
  const entries = (await readdir(root, { withFileTypes: true })).filter(
    ({ name }) => !CLUTTER.test(name),
  );
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const hasFiles = entries.some((entry) => entry.isFile() && IMAGE_EXTENSION.test(entry.name));
  const hasSplit = folders.some((name) => name.toLowerCase() in SPLIT_NAMES);
  if (hasSplit || hasFiles || folders.length !== 1) return root;
  const inner = join(root, folders[0]!);
  const below = await readdir(inner, { withFileTypes: true });
  const isClassFolder = below.some((entry) => entry.isFile() && IMAGE_EXTENSION.test(entry.name));
  return isClassFolder ? root : descend(inner);
}

async function collect(
  folder: string,
  folders: readonly string[],
  files: Found[],
  stray: string[],
): Promise<void> {
  const entries = (await readdir(folder, { withFileTypes: true }))
    .filter(({ name }) => !CLUTTER.test(name))
    .sort((a, b) => compareBytes(a.name, b.name));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await collect(path, [...folders, entry.name], files, stray);
    else if (IMAGE_EXTENSION.test(entry.name)) files.push({ folders, path });
    else stray.push(path);
  }
}
