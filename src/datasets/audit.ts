/** The audit: what is in a data set, and what is wrong with it, as plain data and plain sentences. */
import { HilumError, isHilumError } from "../errors.ts";
import { type FilmFacts, filmFacts } from "./audit-film.ts";
import { auditFindings, type Finding, type Separation, separations } from "./audit-findings.ts";
import { classOf, type Dataset, type Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";
import { nearPairs } from "./near-duplicates.ts";
import { labelsOf } from "./task.ts";

export interface Range {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface DuplicateGroup {
  readonly keys: readonly string[];
  /** Whether they lie in different splits, and whether their labels differ. */
  readonly crossesSplits: boolean;
  readonly hasConflict: boolean;
}

export interface Audit {
  readonly root: string;
  readonly layout: Dataset["layout"];
  readonly images: number;
  readonly labels: readonly string[];
  /** Images by split ("all" where there is none), then by label. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly patients: number;
  /** Patients with films in more than one split. */
  readonly patientsAcrossSplits: readonly string[];
  readonly width: Range | null;
  readonly height: Range | null;
  readonly aspect: Range | null;
  readonly unreadable: readonly {
    readonly key: string;
    readonly code: string;
    readonly message: string;
  }[];
  readonly exactDuplicates: readonly DuplicateGroup[];
  readonly nearDuplicates: readonly (DuplicateGroup & { readonly distance: number })[];
  readonly separations: readonly Separation[];
  /** Most severe first. */
  readonly findings: readonly Finding[];
}

export interface AuditOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface MeasuredFilm {
  readonly sample: Sample;
  readonly facts: FilmFacts;
}

const IN_FLIGHT = 8;

/** Reads every film once and audits the set. Throws `interrupted` once the signal aborts. */
export async function auditDataset(dataset: Dataset, options: AuditOptions = {}): Promise<Audit> {
  const { films, unreadable } = await measure(dataset.samples, options);
  const labels = labelsOf(dataset.task);
  const range = (pick: (facts: FilmFacts) => number) =>
    rangeOf(films.map(({ facts }) => pick(facts)));
  const exact = [...groupBy(films, ({ facts }) => facts.sha256).values()].filter(
    (group) => group.length > 1,
  );
  const near = nearPairs(films.map(({ facts }) => facts.hash))
    .filter(({ first, second }) => films[first]!.facts.sha256 !== films[second]!.facts.sha256)
    .map(({ first, second, distance }) => ({
      ...duplicates([films[first]!, films[second]!], dataset),
      distance,
    }));
  const facts: Omit<Audit, "findings"> = {
    root: dataset.root,
    layout: dataset.layout,
    images: dataset.samples.length,
    labels,
    counts: countsOf(dataset, labels),
    patients: new Set(dataset.samples.map(({ patient }) => patient)).size,
    patientsAcrossSplits: crossingPatients(dataset.samples),
    width: range(({ width }) => width),
    height: range(({ height }) => height),
    aspect: range(({ width, height }) => width / height),
    unreadable,
    exactDuplicates: exact.map((group) => duplicates(group, dataset)),
    nearDuplicates: near,
    separations: separations(films, dataset),
  };
  return { ...facts, findings: auditFindings(facts, dataset) };
}

async function measure(
  samples: readonly Sample[],
  { signal, onProgress }: AuditOptions,
): Promise<{ films: MeasuredFilm[]; unreadable: Audit["unreadable"] }> {
  const results = new Array<MeasuredFilm | HilumError>(samples.length);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < samples.length) {
      if (signal?.aborted)
        throw new HilumError("interrupted", "The audit was stopped; nothing was written.");
      const index = next++;
      const sample = samples[index]!;
      results[index] = await filmFacts(sample.path, sample.key).then(
        (facts) => ({ sample, facts }),
        (error: unknown) => {
          if (isHilumError(error)) return error;
          throw error;
        },
      );
      onProgress?.({ done: ++done, total: samples.length });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return {
    films: results.filter((result): result is MeasuredFilm => !isHilumError(result)),
    unreadable: results.flatMap((result, index) =>
      isHilumError(result)
        ? [{ key: samples[index]!.key, code: result.code, message: result.message }]
        : [],
    ),
  };
}

function countsOf(
  dataset: Dataset,
  labels: readonly string[],
): Record<string, Record<string, number>> {
  const bySplit = groupBy(dataset.samples, ({ split }) => split ?? "all");
  return Object.fromEntries(
    [...bySplit].map(([split, samples]) => [
      split,
      Object.fromEntries(
        labels.map((label, index) => [
          label,
          samples.filter(({ target }) => target[index] === 1).length,
        ]),
      ),
    ]),
  );
}

function crossingPatients(samples: readonly Sample[]): string[] {
  const groups = groupBy(samples, ({ patient }) => patient);
  return [...groups].flatMap(([patient, films]) =>
    new Set(films.map(({ split }) => split)).size > 1 ? [patient] : [],
  );
}

function duplicates(films: readonly MeasuredFilm[], { task }: Dataset): DuplicateGroup {
  const distinct = (pick: (sample: Sample) => unknown) =>
    new Set(films.map(({ sample }) => pick(sample))).size > 1;
  return {
    keys: films.map(({ sample }) => sample.key),
    crossesSplits: distinct(({ split }) => split),
    hasConflict: distinct((sample) =>
      task.kind === "classes" ? classOf(sample, task) : sample.target.join(),
    ),
  };
}

function rangeOf(values: readonly number[]): Range | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return { min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, max: sorted.at(-1)! };
}
