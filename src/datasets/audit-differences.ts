/**
 * How well one plain number of a film tells two groups apart: what a model could learn in place of
 * the lungs, or what separates the part it trains on from the part it is judged on.
 */
import type { FilmFacts } from "./audit-film.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";

export interface MeasuredFilm {
  readonly sample: Sample;
  readonly facts: FilmFacts;
}

export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** How films with a larger, and with a smaller value are. */
  readonly more: string;
  readonly less: string;
  of(facts: FilmFacts): number;
}

export const MEASURES: readonly Measure[] = [
  {
    name: "image area",
    unit: "megapixels",
    more: "larger",
    less: "smaller",
    of: ({ width, height }) => (width * height) / 1e6,
  },
  {
    name: "aspect ratio",
    unit: "width / height",
    more: "wider",
    less: "narrower",
    of: ({ width, height }) => width / height,
  },
  {
    name: "brightness",
    unit: "mean grey level, 0 to 255",
    more: "brighter",
    less: "darker",
    of: ({ brightness }) => brightness,
  },
  {
    name: "contrast",
    unit: "standard deviation of grey levels",
    more: "richer in contrast",
    less: "poorer in contrast",
    of: ({ contrast }) => contrast,
  },
  {
    name: "black border",
    unit: "share of the outermost 4 %",
    more: "more often black at the border",
    less: "less often black at the border",
    of: ({ darkBorder }) => darkBorder,
  },
  {
    name: "white border",
    unit: "share of the outermost 4 %",
    more: "more often white at the border",
    less: "less often white at the border",
    of: ({ whiteBorder }) => whiteBorder,
  },
  {
    name: "burnt-out area",
    unit: "share that is nearly white",
    more: "more burnt out",
    less: "less burnt out",
    of: ({ white }) => white,
  },
  {
    name: "file size",
    unit: "bytes per pixel",
    more: "less compressed",
    less: "more compressed",
    of: ({ bytes, width, height }) => bytes / (width * height),
  },
];

/** A group of films, and how well a measure tells `second` from `first`. */
export interface Difference {
  readonly between: "labels" | "splits";
  readonly first: string;
  readonly second: string;
  readonly measure: string;
  /** Probability that a film of `second` has the larger value, ties counting half; 0.5: no difference. */
  readonly auroc: number;
  /** Distance of `auroc` from 0.5 in standard errors of the case of no difference. */
  readonly standardErrors: number;
  readonly medians: readonly [number, number];
}

interface Groups {
  readonly between: Difference["between"];
  readonly first: { readonly name: string; readonly films: readonly MeasuredFilm[] };
  readonly second: { readonly name: string; readonly films: readonly MeasuredFilm[] };
}

/** Fewer films tell nothing about a group. */
const SMALLEST_GROUP = 10;

/** Every measure for each pair of classes (each finding against its absence) and of splits. */
export function differencesOf(films: readonly MeasuredFilm[], { task }: Dataset): Difference[] {
  const ofLabel = (label: number, value: 0 | 1) =>
    films.filter(({ sample }) => sample.target[label] === value);
  const labels =
    task.kind === "classes"
      ? pairsOf(task.classes.map((name, label) => ({ name, films: ofLabel(label, 1) })))
      : task.findings.map((name, label): [Groups["first"], Groups["first"]] => [
          { name: `not ${name}`, films: ofLabel(label, 0) },
          { name, films: ofLabel(label, 1) },
        ]);
  const bySplit = groupBy(
    films.filter(({ sample }) => sample.split !== null),
    ({ sample }) => sample.split!,
  );
  const order = ["train", "val", "test"];
  const splits = [...bySplit].sort(
    ([a], [b]) => ((order.indexOf(a) + 9) % 9) - ((order.indexOf(b) + 9) % 9),
  );
  const groups = [
    ...labels.map(([first, second]) => ({ between: "labels", first, second }) as const),
    ...pairsOf(splits.map(([name, list]) => ({ name, films: list }))).map(
      ([first, second]) => ({ between: "splits", first, second }) as const,
    ),
  ].filter(
    ({ first, second }) => Math.min(first.films.length, second.films.length) >= SMALLEST_GROUP,
  );
  // Splits differ in their share of each label, so that films are compared with those of equal labels.
  const stratumOf = ({ target }: Sample) => target.join();
  return groups.flatMap((pair) =>
    MEASURES.map((measure) =>
      difference(pair, measure, pair.between === "splits" ? stratumOf : () => ""),
    ),
  );
}

function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((first, index) =>
    items.slice(index + 1).map((second): [T, T] => [first, second]),
  );
}

function difference(
  { between, first, second }: Groups,
  measure: Measure,
  stratumOf: (sample: Sample) => string,
): Difference {
  const valuesOf = (films: readonly MeasuredFilm[]) =>
    groupBy(films, ({ sample }) => stratumOf(sample));
  const others = valuesOf(second.films);
  let [weighted, weights, variance] = [0, 0, 0];
  for (const [stratum, films] of valuesOf(first.films)) {
    const a = films.map(({ facts }) => measure.of(facts));
    const b = (others.get(stratum) ?? []).map(({ facts }) => measure.of(facts));
    if (b.length === 0) continue;
    const weight = (a.length * b.length) / (a.length + b.length);
    weighted += weight * superiority(a, b);
    weights += weight;
    variance += weight ** 2 * ((a.length + b.length + 1) / (12 * a.length * b.length));
  }
  const auroc = weights === 0 ? 0.5 : weighted / weights;
  const error = weights === 0 ? 1 : Math.sqrt(variance) / weights;
  return {
    between,
    first: first.name,
    second: second.name,
    measure: measure.name,
    auroc,
    standardErrors: Math.abs(auroc - 0.5) / error,
    medians: [medianOf(first.films, measure), medianOf(second.films, measure)],
  };
}

function medianOf(films: readonly MeasuredFilm[], { of }: Measure): number {
  const values = films.map(({ facts }) => of(facts)).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)]!;
}

/** Probability that a value of `second` exceeds one of `first`. Source: Mann and Whitney 1947. */
export function superiority(first: readonly number[], second: readonly number[]): number {
  const all = [
    ...first.map((value) => ({ value, isSecond: false })),
    ...second.map((value) => ({ value, isSecond: true })),
  ].sort((a, b) => a.value - b.value);
  let rankSum = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    const rank = (start + end + 1) / 2;
    for (let place = start; place < end; place++) if (all[place]!.isSecond) rankSum += rank;
    start = end;
  }
  return (rankSum - (second.length * (second.length + 1)) / 2) / (first.length * second.length);
}
