/**
 * Folder layouts: CLASS/*, split/CLASS/*, CLASS/split/*, and the public archive as unpacked. Of the
 * folders between the root and a film, the first that names a split is its split, and the first
 * that does not is its class; deeper folders (of patients, of studies) do not matter.
 */
import {
  classTask,
  compareBytes,
  type DatasetProblem,
  type DatasetReading,
  orderedClasses,
} from "./dataset.ts";
import { descended } from "./descent.ts";
import { type Found, filmTree } from "./film-tree.ts";
import { groupBy } from "./group.ts";
import type { OpenOptions } from "./open.ts";
import { labelReader, patientReader, refuseUnmatched } from "./patient.ts";
import { filmAsPatient, sampleColumns } from "./sample-columns.ts";
import { splitNamed } from "./split-name.ts";
import { agreeing, counted } from "./wording.ts";

const keyOf = ({ folders, name }: Found): string => [...folders, name].join("/");
const isKnown = (value: string | undefined): value is string => value !== undefined;

/** The samples below `root`. Throws `dataset-ambiguous`, `file-forbidden`, `invalid-option`. */
export async function readFolders(root: string, options: OpenOptions): Promise<DatasetReading> {
  const { top, tree, outside } = descended(root, await filmTree(root, options.signal));
  const hasSplits = tree.films.some(({ folders }) => splitNamed(folders[0]) !== null);
  // Beside split folders, another folder is a nested copy of the archive or does not belong here.
  const isForeign = ({ folders }: Found) =>
    hasSplits && folders.length > 0 && splitNamed(folders[0]) === null;
  const films = tree.films.filter((film) => !isForeign(film));
  const labelOf = labelReader(options.labelPattern);
  const patientOf = patientReader(options.patientPattern);
  const matched = { labels: 0, patients: 0 };
  // For each film its class; strings that films share, where objects of their own would take 20 MB of 100,000.
  const labels = films.map((film) => {
    const named = labelOf(keyOf(film));
    if (isKnown(named)) matched.labels++;
    return named ?? classOf(film);
  });
  const columns = sampleColumns(top);
  const classes = orderedClasses(labels.filter(isKnown));
  const targets = new Map(
    classes.map((label) => [label, classes.map((name) => (name === label ? 1 : 0))] as const),
  );
  const unlabelled: string[] = [];
  for (const [index, film] of films.entries()) {
    const [key, label] = [keyOf(film), labels[index]];
    if (!isKnown(label)) {
      unlabelled.push(key);
      continue;
    }
    const patient = patientOf(key);
    if (isKnown(patient)) matched.patients++;
    columns.push({
      key,
      split: film.folders.map(splitNamed).find((split) => split !== null) ?? null,
      target: targets.get(label)!,
      patient: patient ?? filmAsPatient(key),
      columns: {},
    });
  }
  const samples = columns.sorted();
  const tried = { of: samples.length, example: samples.at(0)?.key };
  refuseUnmatched("labelPattern", options.labelPattern, { ...tried, matched: matched.labels });
  refuseUnmatched("patientPattern", options.patientPattern, {
    ...tried,
    matched: matched.patients,
  });
  return {
    root: top,
    layout: hasSplits ? "split-folders" : "class-folders",
    task: classTask(classes),
    samples,
    problems: [
      ...foreignFolders(tree.films.filter(isForeign)),
      ...filmsWithoutClass([...outside.map(keyOf), ...unlabelled]),
      ...otherFiles(tree.others.filter((file) => !isForeign(file))),
      ...classesAlike(classes),
    ],
  };
}

function classOf({ folders }: Found): string | undefined {
  return folders.find((folder) => splitNamed(folder) === null);
}

function foreignFolders(films: readonly Found[]): DatasetProblem[] {
  return [...groupBy(films, ({ folders }) => folders[0]!)].map(([folder, { length }]) => ({
    code: "folder-ignored",
    key: folder,
    severity: "note",
    message: `The folder ${folder} (${counted(length, "image")}) lies beside the split folders and was left out; in the public archive it is a second copy.`,
  }));
}

function filmsWithoutClass(keys: readonly string[]): DatasetProblem[] {
  if (keys.length === 0) return [];
  return [
    {
      code: "image-unlabelled",
      key: keys[0]!,
      severity: "warning",
      message: `${counted(keys.length, "image")} ${agreeing(keys.length, "lies in no class folder and was", "lie in no class folder and were")} left out (first: ${keys[0]}). Move ${agreeing(keys.length, "it into one, or remove it", "them into one, or remove them")}.`,
    },
  ];
}

function otherFiles(files: readonly Found[]): DatasetProblem[] {
  const extensionOf = ({ name }: Found) => (/\.[^.]+$/.exec(name)?.[0] ?? "").toLowerCase();
  return [...groupBy(files, extensionOf)].map(([extension, group]) => ({
    code: "file-ignored",
    key: keyOf(group[0]!),
    severity: "note",
    message:
      group.length === 1
        ? `${keyOf(group[0]!)} is no image by its name and was left out.`
        : `${group.length} files ${extension ? `of type ${extension}` : "without an extension"} are no images and were left out (first: ${keyOf(group[0]!)}).`,
  }));
}

/** Classes whose names differ in case or blanks only, as when two sets were merged by hand. */
function classesAlike(classes: readonly string[]): DatasetProblem[] {
  const alike = groupBy(classes, (name) => name.toLowerCase().replace(/[\s_-]+/g, ""));
  return [...alike.values()]
    .filter((names) => names.length > 1)
    .map((names) => ({
      code: "classes-alike",
      key: null,
      severity: "warning",
      message: `The folders ${names.toSorted(compareBytes).join(" and ")} count as different classes. If they are one, give them one name.`,
    }));
}
