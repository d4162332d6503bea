/** The audit: what is in a data set, and what is wrong with it, as plain data and plain sentences. */
import { HilumError, isHilumError } from "../errors.ts";
import {
  type Difference,
  differencesOf,
  MEASURES,
  type MeasuredFilm,
} from "./audit-differences.ts";
import { type FilmFacts, filmFacts } from "./audit-film.ts";
import { auditFindings, type Finding } from "./audit-findings.ts";
import { compareBytes, type Dataset, type DatasetProblem, type Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";
import { nearGroups } from "./near-duplicates.ts";
import type { Samples } from "./samples.ts";
import { labelsOf } from "./task.ts";

export interface Range {
  readonly min: number;
  /** The 5th and the 95th percentile. */
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly max: number;
}

export interface SplitCounts {
  /** "all" where the data set names no splits. */
  readonly split: string;
  readonly images: number;
  readonly patients: number;
  /** Images by label; one that shows several findings counts for each. */
  readonly labels: Readonly<Record<string, number>>;
}

export interface DuplicateGroup {
  readonly keys: readonly string[];
  readonly crossesSplits: boolean;
  readonly crossesPatients: boolean;
  /** Whether equal films have different labels. */
  readonly hasConflict: boolean;
}

export interface UnreadableFile {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

export interface Audit {
  readonly root: string;
  readonly layout: Dataset["layout"];
  readonly kind: "classes" | "findings";
  readonly labels: readonly string[];
  readonly images: number;
  readonly patients: number;
  /** Images that name no patient. */
  readonly patientsUnknown: number;
  readonly splits: readonly SplitCounts[];
  /** The most frequent sizes in pixels, and how many there are in all. */
  readonly sizes: readonly {
    readonly width: number;
    readonly height: number;
    readonly images: number;
  }[];
  readonly distinctSizes: number;
  /** By name of the measure, over all readable films and by label. */
  readonly measures: Readonly<
    Record<string, { readonly all: Range; readonly byLabel: Readonly<Record<string, Range>> }>
  >;
  readonly unreadable: readonly UnreadableFile[];
  readonly exactDuplicates: readonly DuplicateGroup[];
  /** Films that look the same without being identical; `distance` in bits of 544. */
  readonly nearDuplicates: readonly (DuplicateGroup & { readonly distance: number })[];
  /** Patients with films in more than one split. */
  readonly patientsAcrossSplits: readonly {
    readonly patient: string;
    readonly splits: Readonly<Record<string, number>>;
  }[];
  readonly differences: readonly Difference[];
  /** What was noticed when the data set was opened. */
  readonly problems: readonly DatasetProblem[];
  /** Most severe first. */
  readonly findings: readonly Finding[];
}

export interface AuditOptions {
  /** Films that are decoded at the same time. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * Reads every film once and audits the set: plain data, without pictures. About 250 bytes are kept of
 * each film. Throws `interrupted` once the signal aborts.
 *
 * @example
 * const audit = await auditDataset(await openDataset("chest_xray"));
 * console.log(auditText(audit));
 */
export async function auditDataset(dataset: Dataset, options: AuditOptions = {}): Promise<Audit> {
  const { films, unreadable } = await measure(dataset.samples, options);
  const { samples, task } = dataset;
  const sizes = [...groupBy(films, ({ facts }) => `${facts.width} ${facts.height}`).values()].sort(
    (a, b) => b.length - a.length,
  );
  const facts: Omit<Audit, "findings"> = {
    root: dataset.root,
    layout: dataset.layout,
    kind: task.kind,
    labels: labelsOf(task),
    images: samples.length,
    patients: new Set(samples.map(({ patient }) => patient)).size,
    patientsUnknown: samples.filter(({ patient }) => patient.startsWith("file:")).length,
    splits: splitCounts(dataset),
    sizes: sizes.slice(0, 10).map((group) => {
      const { width, height } = group[0]!.facts;
      return { width, height, images: group.length };
    }),
    distinctSizes: sizes.length,
    measures: measuresOf(films, labelsOf(task)),
    unreadable,
    ...duplicatesOf(films),
    patientsAcrossSplits: crossingPatients(samples),
    differences: differencesOf(films, dataset),
    problems: dataset.problems,
  };
  return { ...facts, findings: auditFindings(facts) };
}

async function measure(
  samples: Samples,
  { concurrency = 8, signal, onProgress }: AuditOptions,
): Promise<{ films: MeasuredFilm[]; unreadable: UnreadableFile[] }> {
  const results = new Array<FilmFacts | HilumError>(samples.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < samples.length) {
      if (signal?.aborted)
        throw new HilumError(
          "interrupted",
          `The audit was stopped after ${done} of ${samples.length} films; nothing was written.`,
        );
      const index = next++;
      const { path, key } = samples.at(index)!;
      results[index] = await filmFacts(path, key).catch((error: unknown) => {
        if (isHilumError(error)) return error;
        throw error;
      });
      onProgress?.({ done: ++done, total: samples.length });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return {
    films: results.flatMap((facts, index) =>
      isHilumError(facts) ? [] : [{ sample: samples.at(index)!, facts }],
    ),
    unreadable: results.flatMap((error, index) =>
      isHilumError(error)
        ? [{ key: samples.at(index)!.key, code: error.code, message: error.message }]
        : [],
    ),
  };
}

const SPLIT_ORDER = ["train", "val", "test"];

function splitCounts({ samples, task }: Dataset): SplitCounts[] {
  const rank = (split: string) => (SPLIT_ORDER.indexOf(split) + 10) % 10;
  const hasSplits = samples.some(({ split }) => split !== null);
  const bySplit = groupBy(samples, ({ split }) => split ?? (hasSplits ? "none" : "all"));
  return [...bySplit]
    .sort(([a], [b]) => rank(a) - rank(b) || compareBytes(a, b))
    .map(([split, list]) => ({
      split,
      images: list.length,
      patients: new Set(list.map(({ patient }) => patient)).size,
      labels: Object.fromEntries(
        labelsOf(task).map((label, index) => [
          label,
          list.filter(({ target }) => target[index] === 1).length,
        ]),
      ),
    }));
}

function measuresOf(films: readonly MeasuredFilm[], labels: readonly string[]): Audit["measures"] {
  if (films.length === 0) return {};
  const ranges = MEASURES.map(({ name, of }) => {
    const range = (list: readonly MeasuredFilm[]) => rangeOf(list.map(({ facts }) => of(facts)));
    const byLabel = labels.flatMap((label, index) => {
      const list = films.filter(({ sample }) => sample.target[index] === 1);
      return list.length === 0 ? [] : [[label, range(list)] as const];
    });
    return [name, { all: range(films), byLabel: Object.fromEntries(byLabel) }] as const;
  });
  return Object.fromEntries(ranges);
}

function rangeOf(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { min: at(0), low: at(0.05), median: at(0.5), high: at(0.95), max: at(1) };
}

function duplicatesOf(
  films: readonly MeasuredFilm[],
): Pick<Audit, "exactDuplicates" | "nearDuplicates"> {
  const byDigest = [...groupBy(films, ({ facts }) => facts.sha256).values()];
  // Of identical films one stands for all, or 1,000 copies of one would be 499,500 pairs.
  const near = nearGroups(byDigest.map(([film]) => film!.facts.hash));
  return {
    exactDuplicates: byDigest.filter((group) => group.length > 1).map(described),
    nearDuplicates: near.map(({ members, distance }) => ({
      ...described(members.flatMap((member) => byDigest[member]!)),
      distance,
    })),
  };
}

function described(films: readonly MeasuredFilm[]): DuplicateGroup {
  const differ = (pick: (sample: Sample) => unknown) =>
    new Set(films.map(({ sample }) => pick(sample))).size > 1;
  return {
    keys: films.map(({ sample }) => sample.key),
    crossesSplits: differ(({ split }) => split),
    crossesPatients: differ(({ patient }) => patient),
    hasConflict: differ(({ target }) => target.join()),
  };
}

function crossingPatients(samples: Samples): Audit["patientsAcrossSplits"] {
  return [...groupBy(samples, ({ patient }) => patient)].flatMap(([patient, films]) => {
    const splits = groupBy(films, ({ split }) => split ?? "none");
    if (splits.size < 2) return [];
    const counts = [...splits].map(([split, { length }]) => [split, length]);
    return [{ patient, splits: Object.fromEntries(counts) }];
  });
}
