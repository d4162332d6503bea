/** From the folder that a user names to the one that is the data set. */
import { join } from "node:path";
import { HilumError } from "../errors.ts";
import type { FilmTree, Found } from "./film-tree.ts";
import { groupBy } from "./group.ts";
import { splitNamed } from "./split-name.ts";

export interface Descended {
  readonly top: string;
  readonly tree: FilmTree;
  /** Films passed on the way. */
  readonly outside: readonly Found[];
}

/**
 * Walks below a parent that holds one data set only, as in the archive's chest_xray/chest_xray.
 * Throws `dataset-ambiguous` where there are several.
 */
export function descended(root: string, tree: FilmTree, outside: readonly Found[] = []): Descended {
  const here = { top: root, tree, outside };
  const films = tree.films.filter(({ folders }) => folders.length > 0);
  if (films.some(({ folders }) => splitNamed(folders[0]) !== null)) return here;
  const inside = groupBy(films, ({ folders }) => folders[0]!);
  const names = [...inside.keys()];
  const [only, second] = names;
  if (only === undefined || isAboveFilms(inside)) return here;
  if (second !== undefined)
    throw new HilumError(
      "dataset-ambiguous",
      `${root} holds several data sets: ${names.join(", ")}. Name one of them.`,
      { path: root, folders: names },
    );
  const below = (files: readonly Found[]) =>
    files
      .filter(({ folders }) => folders[0] === only)
      .map(({ folders, name }) => ({ folders: folders.slice(1), name }));
  const passed = tree.films.filter(({ folders }) => folders.length === 0);
  return descended(join(root, only), { films: below(films), others: below(tree.others) }, [
    ...outside,
    ...passed,
  ]);
}

/** Whether the folders are classes: some hold films, or all of them hold splits or patients. */
function isAboveFilms(inside: ReadonlyMap<string, readonly Found[]>): boolean {
  const groups = [...inside.values()];
  const isDataSet = (films: readonly Found[]) =>
    films.some(({ folders }) => folders.length > 2 && splitNamed(folders[1]) !== null);
  if (groups.some(isDataSet)) return false;
  if (groups.some((films) => films.some(({ folders }) => folders.length === 1))) return true;
  if (groups.length < 2) return false;
  const below = groups.flatMap((films) => [...new Set(films.map(({ folders }) => folders[1]!))]);
  const splits = below.filter((name) => splitNamed(name) !== null);
  // Classes recur in every data set; patients are in no two classes.
  const arePatients = splits.length === 0 && new Set(below).size === below.length;
  return splits.length === below.length || arePatients;
}
