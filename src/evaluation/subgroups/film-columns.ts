/** Columns by which films can be grouped where the data have none: what a film is like, and its name. */
import { HilumError } from "../../errors.ts";
import type { GreyImage } from "../../images/index.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { type ImageStatistics, imageStatistics } from "../shift/shift.ts";

export interface FilmShape extends ImageStatistics {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export function filmShape(film: Pick<GreyImage, "width" | "height" | "pixels">): FilmShape {
  const { width, height } = film;
  return { width, height, ...imageStatistics(film) };
}

const SHAPES: Readonly<Record<string, (film: FilmShape) => string>> = {
  "film width": ({ width }) => String(width),
  "film height": ({ height }) => String(height),
  "film aspect": ({ aspect }) => aspect.toFixed(3),
  "film brightness": ({ mean }) => mean.toFixed(4),
};

/** Width, height, width over height, and mean grey from 0 to 1. */
export const SHAPE_COLUMNS: readonly string[] = Object.keys(SHAPES);

/** What names of well-known data sets tell besides patient and class: Kermany's. */
const KNOWN_PATTERNS: Readonly<Record<string, RegExp>> = {
  pathogen: /(?:^|[/_-])(bacteria|virus)(?=[_-])/i,
};

/** A column's name and the expression whose first group (or whole match) is its value. */
export type ColumnPatterns = Readonly<Record<string, string>>;

/** The set with columns of its films' shapes; those that it has already stay. */
export function withShapes(set: PredictionSet, films: readonly FilmShape[]): PredictionSet {
  const shapes = Object.entries(SHAPES).map(([name, of]) => [name, films.map(of)] as const);
  return { ...set, columns: { ...Object.fromEntries(shapes), ...set.columns } };
}

/**
 * The set with columns read from the paths of its films: by the stated patterns, and by known ones
 * that tell at least two groups of films apart which are no labels. Throws `invalid-option` for a
 * pattern that is no expression or that matches no film, and for a column that is there already.
 */
export function withNamedGroups(set: PredictionSet, stated: ColumnPatterns = {}): PredictionSet {
  const valuesOf = (expression: RegExp) => set.keys.map((key) => firstGroup(expression, key));
  const labels = new Set(labelNames(set));
  const known = Object.entries(KNOWN_PATTERNS).flatMap(([name, expression]) => {
    const values = valuesOf(expression).map((value) => value.toLowerCase());
    const distinct = new Set(values.filter((value) => value !== ""));
    const isNew = distinct.size > 1 && ![...distinct].some((value) => labels.has(value));
    return isNew && !(name in set.columns) && !(name in stated) ? [[name, values] as const] : [];
  });
  const named = Object.entries(stated).map(([name, pattern]) => {
    if (name in set.columns) refuse(name, "the data have a column of that name; choose another");
    const values = valuesOf(compiled(name, pattern));
    if (values.every((value) => value === ""))
      refuse(name, `'${pattern}' matches none of ${values.length} films, not ${set.keys[0]}`);
    return [name, values] as const;
  });
  return { ...set, columns: { ...set.columns, ...Object.fromEntries([...known, ...named]) } };
}

const labelNames = ({ task }: PredictionSet): string[] =>
  (task.kind === "classes" ? task.classes : task.findings).map((label) => label.toLowerCase());

/** "" where the expression does not match. */
function firstGroup(expression: RegExp, key: string): string {
  const match = expression.exec(key);
  return match ? (match.slice(1).find((group) => group !== undefined) ?? match[0]) : "";
}

function compiled(name: string, pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    return refuse(name, `it is no regular expression: ${(cause as Error).message}`);
  }
}

function refuse(name: string, why: string): never {
  throw new HilumError("invalid-option", `Option --subgroup-pattern ${name}: ${why}.`, {
    option: "subgroup-pattern",
    value: name,
  });
}
