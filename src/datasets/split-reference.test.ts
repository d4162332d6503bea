/** The split held against a plain one over arrays and maps, by which earlier runs were split. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { classTask, compareBytes, type Sample } from "./dataset.ts";
import { groupBy } from "./group.ts";
import { findLeaks } from "./leaks.ts";
import { type Samples, samplesFrom } from "./samples.ts";
import { type SplitOptions, splitByPatient } from "./split.ts";
import { labelsOf, type Task } from "./task.ts";

interface Film extends Sample {
  readonly digest: string | undefined;
}

interface Group {
  readonly name: string;
  readonly images: number;
  readonly counts: readonly number[];
}

function referenceSplit(films: readonly Film[], task: Task, options: SplitOptions) {
  const { seed, valFraction, folds, fold = 0 } = options;
  const ordered = films.toSorted((a, b) => compareBytes(a.key, b.key));
  const own = ordered.filter(({ split }) => split === "val");
  const rest = ordered.filter(({ split }) => split === null || split === "train");
  const test = keysOf(ordered.filter(({ split }) => split === "test"));
  if (own.length >= 50 && folds === undefined)
    return { train: keysOf(rest), validation: keysOf(own), test };
  const pool = ordered.filter((film) => rest.includes(film) || own.includes(film));
  const groupOf = referenceGroups(pool);
  const shares = folds ? Array<number>(folds).fill(1 / folds) : [valFraction, 1 - valFraction];
  const foldOf = referenceFolds(groupBy(pool, groupOf), task, { seed, shares });
  const isValidation = (film: Film) => foldOf.get(groupOf(film)) === fold;
  return {
    train: keysOf(pool.filter((film) => !isValidation(film))),
    validation: keysOf(pool.filter(isValidation)),
    test,
  };
}

const keysOf = (samples: Samples) => samples.map(({ key }) => key);

function referenceGroups(films: readonly Film[]): (film: Film) => string {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    const parent = parents.get(name) ?? name;
    return parent === name ? name : find(parent);
  };
  for (const { patient, digest } of films) {
    if (digest === undefined) continue;
    const [a, b] = [find(patient), find(`digest:${digest}`)];
    if (a !== b) parents.set(b, a);
  }
  return ({ patient }) => find(patient);
}

function referenceFolds(
  films: ReadonlyMap<string, readonly Film[]>,
  task: Task,
  { seed, shares }: { readonly seed: number; readonly shares: readonly number[] },
): Map<string, number> {
  const groups = randomStream(seed, "split")
    .shuffled([...films.keys()].sort(compareBytes))
    .map((name) => described(name, films.get(name)!, labelsOf(task).length));
  const labels = labelsOf(task)
    .map((_, label) => label)
    .concat(labelsOf(task).length);
  const has = (label: number) => (group: Group) => group.counts[label]! > 0;
  const totals = labels.map((label) => sum(groups.map(({ counts }) => counts[label]!)));
  const wanted = shares.map((share) => totals.map((total) => total * share));
  const room = shares.map((share) => sum(groups.map(({ images }) => images)) * share);
  const folds = new Map<string, number>();
  for (let left = groups; left.length > 0; left = left.filter(({ name }) => !folds.has(name))) {
    const carriers = labels.map((label) => left.filter(has(label)).length || Infinity);
    const label = carriers.indexOf(Math.min(...carriers));
    for (const { name, images, counts } of left.filter(has(label))) {
      const fold = shares.reduce((best, _, next) => {
        const more = wanted[next]![label]! - wanted[best]![label]!;
        return more > 0 || (more === 0 && room[next]! > room[best]!) ? next : best;
      }, 0);
      folds.set(name, fold);
      room[fold]! -= images;
      counts.forEach((count, own) => {
        wanted[fold]![own]! -= count;
      });
    }
  }
  for (const label of labels)
    for (const fold of shares.keys()) {
      const carriers = groups.filter(has(label));
      const byFold = groupBy(carriers, ({ name }) => String(folds.get(name)));
      if (carriers.length < shares.length || byFold.has(String(fold))) continue;
      const donor = [...byFold.values()].reduce((a, b) => (b.length > a.length ? b : a));
      folds.set(donor.reduce((a, b) => (b.images < a.images ? b : a)).name, fold);
    }
  return folds;
}

function described(name: string, films: readonly Film[], labels: number): Group {
  const counts = Array<number>(labels + 1).fill(0);
  for (const { target } of films) {
    const found = target.flatMap((value, label) => (value === 1 ? [label] : []));
    for (const label of found.length > 0 ? found : [labels]) counts[label]!++;
  }
  return { name, images: films.length, counts };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

const THREE = classTask(["NORMAL", "BACTERIA", "VIRUS"]);
const FINDINGS: Task = { kind: "findings", findings: ["A", "B", "C", "D"] };

const oneHot = fc.nat(2).map((label) => [0, 1, 2].map((i): 0 | 1 => (i === label ? 1 : 0)));
const findings = fc.array(fc.constantFrom<0 | 1 | null>(0, 0, 0, 1, null), {
  minLength: 4,
  maxLength: 4,
});
const filmsWith = (targets: fc.Arbitrary<Sample["target"]>): fc.Arbitrary<Film[]> =>
  fc.array(
    fc
      .record({
        name: fc.constantFrom("a", "b", "é", "\u{1f600}", "�"),
        number: fc.nat(50),
        split: fc.constantFrom(null, "train", "train", "val", "test", "other"),
        target: targets,
        digest: fc.option(fc.nat(60).map(String), { nil: undefined }),
      })
      .map(({ name, number, ...film }) => ({
        ...film,
        key: name,
        path: "",
        patient: `${name}${number}`,
        columns: {},
      })),
    { minLength: 20, maxLength: 300 },
  );
const dataSets = fc
  .oneof(
    fc.record({ task: fc.constant<Task>(THREE), films: filmsWith(oneHot) }),
    fc.record({ task: fc.constant(FINDINGS), films: filmsWith(findings) }),
  )
  .map(({ task, films }) => ({
    task,
    films: films.map((film, index) => ({ ...film, key: `${film.key}${index}` })),
  }));

describe("the split of typed columns", () => {
  it("is that of the plain algorithm, with copies, findings, folds and parts of its own", () => {
    fc.assert(
      fc.property(
        dataSets,
        fc.record({
          seed: fc.integer(),
          valFraction: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
          folds: fc.constantFrom(undefined, undefined, 2, 5),
        }),
        ({ task, films }, options) => {
          const expected = referenceSplit(films, task, { ...options, fold: 1 });
          fc.pre(expected.train.length > 0 && expected.validation.length > 0);
          const columns = samplesFrom(films.length, (index) => ({ ...films[index]! }));
          const digestOf = (_: Sample, index: number) => films[index]!.digest;
          const split = splitByPatient(columns, task, { ...options, fold: 1, digestOf });
          const { train, validation, test, places } = split;
          expect({
            train: keysOf(train),
            validation: keysOf(validation),
            test: keysOf(test),
          }).toEqual(expected);
          expect(Array.from(places.train, (place) => films[place]!.key)).toEqual(expected.train);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("leaks what a map over the training part finds", () => {
    fc.assert(
      fc.property(dataSets, fc.nat(300), ({ films }, cut) => {
        const [train, validation] = [films.slice(0, cut), films.slice(cut)];
        const found = (of: (film: Film) => string | undefined) => {
          const known = new Map(train.map((film) => [of(film), film.key]));
          known.delete(undefined);
          const crossing = validation.filter((film) => known.has(of(film)));
          const [first] = crossing;
          return first
            ? [`${crossing.length} (first: ${first.key}, as ${known.get(of(first))})`]
            : [];
        };
        const leaks = findLeaks(
          train,
          validation,
          (_, index, part) => (part === "train" ? train : validation)[index]?.digest,
        );
        expect(
          leaks.map(({ message }) => message.replace(/^(\d+) .* (\(first: .*\))\.$/, "$1 $2")),
        ).toEqual([...found(({ patient }) => patient), ...found(({ digest }) => digest)]);
      }),
    );
  });
});
