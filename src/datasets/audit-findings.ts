/** What the audit's facts mean, in sentences that say what to do. */

import type { Audit, MeasuredFilm } from "./audit.ts";
import type { FilmFacts } from "./audit-film.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { labelsOf } from "./task.ts";

export interface Finding {
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
}

/** How well one plain number tells two groups apart. */
export interface Separation {
  readonly kind: "classes" | "splits";
  readonly first: string;
  readonly second: string;
  readonly feature: string;
  /** Probability that a film of `second` has the larger value, ties counting half; 0.5 is no difference. */
  readonly auroc: number;
}

const FEATURES: Readonly<Record<string, (facts: FilmFacts) => number>> = {
  "image area": ({ width, height }) => width * height,
  "aspect ratio": ({ width, height }) => width / height,
  brightness: ({ brightness }) => brightness,
  contrast: ({ contrast }) => contrast,
  "dark border": ({ darkBorder }) => darkBorder,
};

/** Every feature for every pair of classes and of splits. */
export function separations(films: readonly MeasuredFilm[], { task }: Dataset): Separation[] {
  const labels = labelsOf(task);
  const groups = (pick: (sample: Sample) => string | null) => {
    const names = [...new Set(films.map(({ sample }) => pick(sample)))].filter(
      (name) => name !== null,
    );
    return names
      .sort()
      .map((name) => ({ name, films: films.filter(({ sample }) => pick(sample) === name) }));
  };
  const ofKind = (kind: Separation["kind"], pick: (sample: Sample) => string | null) => {
    const named = groups(pick);
    return named.flatMap((first, index) =>
      named.slice(index + 1).flatMap((second) =>
        Object.entries(FEATURES).map(([feature, measure]) => ({
          kind,
          first: first.name,
          second: second.name,
          feature,
          auroc: superiority(
            first.films.map(({ facts }) => measure(facts)),
            second.films.map(({ facts }) => measure(facts)),
          ),
        })),
      ),
    );
  };
  const classes =
    task.kind === "classes"
      ? ofKind("classes", ({ target }) => labels[target.indexOf(1)] ?? null)
      : [];
  return [...classes, ...ofKind("splits", ({ split }) => split)];
}

/** Probability that a value of `second` exceeds one of `first`. Source: Mann and Whitney 1947. */
function superiority(first: readonly number[], second: readonly number[]): number {
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

/** A single number that tells this well is a shortcut that a network will find. */
const TELLING = 0.8;
const SEVERITIES = ["error", "warning", "note"] as const;
const IMBALANCE = 3;

type Facts = Omit<Audit, "findings">;
type Check = (facts: Facts, dataset: Dataset) => Finding[];

const one = (isFound: boolean, finding: Finding): Finding[] => (isFound ? [finding] : []);
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

const CHECKS: readonly Check[] = [
  ({ unreadable }) =>
    one(unreadable.length > 0, {
      code: "unreadable",
      severity: "error",
      message: `${count(unreadable.length, "file")} cannot be read and will be left out (first: ${unreadable[0]?.message}).`,
    }),
  ({ exactDuplicates }) => {
    const conflicts = exactDuplicates.filter(({ hasConflict }) => hasConflict);
    const crossing = exactDuplicates.filter(({ crossesSplits }) => crossesSplits);
    return [
      ...one(conflicts.length > 0, {
        code: "conflicting-copies",
        severity: "error",
        message: `${count(conflicts.length, "film")} occur as identical copies with different labels (first: ${conflicts[0]?.keys.join(", ")}). Remove the wrong ones.`,
      }),
      ...one(crossing.length > 0, {
        code: "copies-across-splits",
        severity: "error",
        message: `${count(crossing.length, "film")} lie as identical copies in more than one split (first: ${crossing[0]?.keys.join(", ")}). Keep one of each.`,
      }),
      ...one(exactDuplicates.length > 0, {
        code: "copies",
        severity: "note",
        message: `${count(exactDuplicates.length, "film")} occur under more than one name. Splits keep copies together; they count twice in training.`,
      }),
    ];
  },
  ({ nearDuplicates }) => {
    const crossing = nearDuplicates.filter(({ crossesSplits }) => crossesSplits);
    return [
      ...one(crossing.length > 0, {
        code: "near-copies-across-splits",
        severity: "warning",
        message: `${count(crossing.length, "pair")} of films in different splits look the same (first: ${crossing[0]?.keys.join(", ")}). Look at them: a re-saved film in two splits flatters the model.`,
      }),
      ...one(nearDuplicates.length > crossing.length, {
        code: "near-copies",
        severity: "note",
        message: `${count(nearDuplicates.length - crossing.length, "pair")} of films within a split look the same.`,
      }),
    ];
  },
  ({ patientsAcrossSplits }) =>
    one(patientsAcrossSplits.length > 0, {
      code: "patients-across-splits",
      severity: "warning",
      message: `${count(patientsAcrossSplits.length, "patient")} have films in more than one split, by the numbers in their file names (first: ${patientsAcrossSplits[0]}). If the splits number patients anew, this means nothing; else move them together.`,
    }),
  ({ counts }) =>
    Object.entries(counts).flatMap(([split, byLabel]) => {
      const entries = Object.entries(byLabel).sort((a, b) => b[1] - a[1]);
      const [most, least] = [entries[0], entries.at(-1)];
      return one(
        most !== undefined && least !== undefined && most[1] > IMBALANCE * Math.max(1, least[1]),
        {
          code: "imbalance",
          severity: "note",
          message: `In "${split}" ${most?.[0]} (${most?.[1]}) outnumbers ${least?.[0]} (${least?.[1]}). Judge by balanced accuracy and AUROC; train with --balance if the small class is missed.`,
        },
      );
    }),
  ({ separations: found }) =>
    found
      .filter(({ auroc }) => Math.max(auroc, 1 - auroc) >= TELLING)
      .map(({ kind, first, second, feature, auroc }) => ({
        code: kind === "classes" ? "shortcut" : "split-shift",
        severity: "warning" as const,
        message:
          kind === "classes"
            ? `The ${feature} alone tells ${second} from ${first} with AUROC ${Math.max(auroc, 1 - auroc).toFixed(2)}: a model may learn that instead of the lungs.`
            : `The splits ${first} and ${second} differ in ${feature} (AUROC ${Math.max(auroc, 1 - auroc).toFixed(2)}): results on one may not hold on the other.`,
      })),
  (_, { problems }) =>
    problems
      .filter(({ code }) => code !== "file-ignored")
      .map(({ code, severity, message }) => ({ code, severity, message })),
];

export function auditFindings(facts: Facts, dataset: Dataset): Finding[] {
  const findings = CHECKS.flatMap((check) => check(facts, dataset));
  return findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
