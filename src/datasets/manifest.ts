/**
 * Manifests: a CSV or JSONL file with a row for each image, the NIH ChestX-ray14 label file among
 * them. Columns are known by their names; what is not known is kept with the sample.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { DatasetProblem, DatasetReading } from "./dataset.ts";
import { filmTree } from "./film-tree.ts";
import { groupBy } from "./group.ts";
import { type Labelling, labelling } from "./manifest-labels.ts";
import { invalid, type Row, readRows } from "./manifest-rows.ts";
import type { OpenOptions } from "./open.ts";
import { labelReader, patientReader, refuseUnmatched } from "./patient.ts";
import { filmAsPatient, sampleColumns } from "./sample-columns.ts";
import type { Samples } from "./samples.ts";
import { splitNamed } from "./split-name.ts";
import { agreeing } from "./wording.ts";

/** Column names by meaning, in lower case; the first that is there counts. */
const COLUMNS = {
  path: ["path", "file", "filename", "file_name", "image", "image index", "image_path"],
  patient: ["patient", "patient id", "patient_id", "patientid", "subject_id"],
  split: ["split", "set", "subset"],
} as const;

/** The NIH label file names images that lie in images_001/images/ and so on. */
const NIH_PATH_COLUMN = "image index";
const NIH_TEST_LIST = "test_list.txt";

const MANIFEST_NAMES = [
  "manifest.csv",
  "manifest.jsonl",
  "Data_Entry_2017.csv",
  "Data_Entry_2017_v2020.csv",
];

/** The manifest in a folder, if it has one. */
export async function findManifest(root: string): Promise<string | undefined> {
  const names = new Set(await readdir(root).catch(() => []));
  const name = MANIFEST_NAMES.find((candidate) => names.has(candidate));
  return name && join(root, name);
}

/**
 * The samples of a manifest whose paths are below `root`. Throws `manifest-invalid` naming the row:
 * an unknown path, a path that leads out of `root` or was in a row before, a missing or bad label.
 */
export async function readManifest(
  file: string,
  options: OpenOptions & { readonly root: string },
): Promise<DatasetReading> {
  const root = resolve(options.root);
  const { header, rows } = await readRows(file);
  const column = (meaning: keyof typeof COLUMNS): string | undefined =>
    COLUMNS[meaning]
      .map((name) => header.find((key) => key.trim().toLowerCase() === name))
      .find(Boolean);
  const pathColumn = column("path");
  if (!pathColumn)
    return invalid(file, 1, `there is no column "path" (there are: ${header.join(", ")})`);
  const named = { path: pathColumn, patient: column("patient"), split: column("split") };
  const isNih = pathColumn.trim().toLowerCase() === NIH_PATH_COLUMN;
  const located = isNih
    ? await locateByName(file, { root, rows, column: pathColumn, signal: options.signal })
    : await locateByPath(file, root, rows, pathColumn);
  const labelOf = labelReader(options.labelPattern);
  const labels = labelling({
    file,
    rows: located.films.map(({ row }) => row),
    columns: header.filter((name) => !Object.values(named).includes(name)),
    namedClass: ({ cells }) => labelOf((cells[pathColumn] ?? "").replaceAll("\\", "/")),
  });
  const keys = located.films.map(({ key }) => key);
  const tried = { of: keys.length, example: keys[0] };
  refuseUnmatched("labelPattern", options.labelPattern, {
    ...tried,
    matched: keys.filter((key) => labelOf(key) !== undefined).length,
  });
  const tests = isNih ? await listedTests(root) : undefined;
  const patientOf = patientReader(options.patientPattern);
  if (named.patient === undefined)
    refuseUnmatched("patientPattern", options.patientPattern, {
      ...tried,
      matched: keys.filter((key) => patientOf(key) !== undefined).length,
    });
  const kept = header.filter(
    (name) => !Object.values(named).includes(name) && !labels.columns.has(name),
  );
  const columns = sampleColumns(root);
  for (const { row, key } of located.films) {
    const cell = (name: string | undefined) => (name ? (row.cells[name] ?? "").trim() : "");
    const given = cell(named.split) || (tests && (tests.has(basename(key)) ? "test" : "train"));
    columns.push({
      key,
      split: given ? (splitNamed(given) ?? given) : null,
      target: labels.targetOf(row),
      patient: cell(named.patient) || patientOf(key) || filmAsPatient(key),
      columns: columnsOf(row, kept),
    });
  }
  const samples = columns.sorted();
  return {
    root,
    layout: "manifest",
    task: labels.task,
    samples,
    problems: [...located.problems, ...unknownLabels(samples, labels)],
  };
}

function columnsOf({ cells }: Row, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (cells[name] === undefined ? [] : [[name, cells[name]]])),
  );
}

interface Located {
  readonly films: readonly { readonly row: Row; readonly key: string }[];
  readonly problems: readonly DatasetProblem[];
}

/** Every path must be there, below the root, and in one row only. */
async function locateByPath(
  file: string,
  root: string,
  rows: readonly Row[],
  column: string,
): Promise<Located> {
  const own = `${basename(root)}/`;
  const pathOf = ({ cells }: Row) => (cells[column] ?? "").trim();
  // CheXpert's files begin with the name of the folder that they lie in.
  const hasOwnName =
    rows.every((row) => pathOf(row).startsWith(own)) && !(await isThere(join(root, own)));
  const lineOf = new Map<string, number>();
  const films = rows.map((row) => {
    const given = pathOf(row);
    if (given === "") invalid(file, row.line, `"${column}" is empty`);
    const path = given.includes("/") ? given : given.replaceAll("\\", "/");
    const full = resolve(root, hasOwnName ? path.slice(own.length) : path);
    const key = relative(root, full).split(sep).join("/");
    if (key === "" || key === ".." || key.startsWith("../") || isAbsolute(key))
      invalid(file, row.line, `"${given}" leads out of the data set's folder ${root}`);
    const earlier = lineOf.get(key);
    if (earlier !== undefined) invalid(file, row.line, `"${given}" is in row ${earlier} already`);
    lineOf.set(key, row.line);
    return { row, key };
  });
  const exists = fileTest();
  const missing: typeof films = [];
  for (const film of films) if (!(await exists(join(root, film.key)))) missing.push(film);
  const [first, ...others] = missing;
  if (first)
    invalid(
      file,
      first.row.line,
      `there is no file "${pathOf(first.row)}" below ${root}${others.length > 0 ? `, nor those of ${others.length} further rows` : ""}`,
    );
  return { films, problems: [] };
}

/** Whether files are there, with one listing for each folder: a manifest may name 100,000. */
function fileTest(): (path: string) => Promise<boolean> {
  const listings = new Map<string, Set<string>>();
  return async (path) => {
    const folder = dirname(path);
    let names = listings.get(folder);
    if (!names) {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      names = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
      listings.set(folder, names);
    }
    // File systems that take several spellings of a name list only one.
    return names.has(basename(path)) || ((await stat(path).catch(() => null))?.isFile() ?? false);
  };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

interface NamedRows {
  readonly root: string;
  readonly rows: readonly Row[];
  readonly column: string;
  readonly signal: AbortSignal | undefined;
}

/** Images by name, wherever below the root; often only some of the twelve archives are unpacked. */
async function locateByName(
  file: string,
  { root, rows, column, signal }: NamedRows,
): Promise<Located> {
  const { films: found } = await filmTree(root, signal);
  const byName = groupBy(found, ({ name }) => name);
  const lineOf = new Map<string, number>();
  const located = rows.flatMap((row) => {
    const name = (row.cells[column] ?? "").trim();
    const earlier = lineOf.get(name);
    if (earlier !== undefined) invalid(file, row.line, `"${name}" is in row ${earlier} already`);
    lineOf.set(name, row.line);
    const keys = (byName.get(name) ?? []).map(({ folders }) => [...folders, name].join("/"));
    return keys.length === 0 ? [] : [{ row, key: keys[0]!, keys }];
  });
  const missing = rows.length - located.length;
  const doubtful = located.filter(({ keys }) => keys.length > 1);
  const warn = (code: string, message: string) =>
    ({ code, key: null, severity: "warning", message }) as const;
  return {
    films: located,
    problems: [
      ...(missing === 0
        ? []
        : [
            warn(
              "manifest-rows-left-out",
              `${missing} of ${rows.length} rows ${agreeing(missing, "names an image that is", "name images that are")} not below ${root} and left out.`,
            ),
          ]),
      ...(doubtful.length === 0
        ? []
        : [
            warn(
              "manifest-names-ambiguous",
              `Below ${root} several files have the same name as one row's image (rows: ${doubtful.length}); the first by path is taken, for example ${doubtful[0]!.keys[0]} and not ${doubtful[0]!.keys[1]}. Remove the others, or name a folder that holds one of them.`,
            ),
          ]),
    ],
  };
}

/** The official test part of ChestX-ray14, where its list lies beside the label file. */
async function listedTests(root: string): Promise<ReadonlySet<string> | undefined> {
  const text = await readFile(join(root, NIH_TEST_LIST), "utf8").catch(() => undefined);
  return text === undefined ? undefined : new Set(text.split(/\s+/).filter(Boolean));
}

function unknownLabels(samples: Samples, { task }: Labelling): DatasetProblem[] {
  if (task.kind === "classes") return [];
  const empty = samples.filter(({ target }) => target.every((value) => value === null));
  if (empty.length === 0) return [];
  return [
    {
      code: "labels-unknown",
      key: empty.at(0)!.key,
      severity: "warning",
      message: `${empty.length} of ${samples.length} images ${agreeing(empty.length, "has", "have")} no known finding at all (first: ${empty.at(0)!.key}); nothing is learned from ${agreeing(empty.length, "it", "them")}.`,
    },
  ];
}
