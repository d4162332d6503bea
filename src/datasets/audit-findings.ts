/** What the audit's facts mean, in sentences, and what to do about it. */
import type { Audit, DuplicateGroup, SplitCounts } from "./audit.ts";
import { type Difference, MEASURES } from "./audit-differences.ts";
import { groupBy } from "./group.ts";
import { agreeing, counted } from "./wording.ts";

export interface Finding {
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  /** What to do; empty where nothing is to be done. */
  readonly advice: string;
}

type Facts = Omit<Audit, "findings">;
/** One thing to look for. Findings come in the order of checks within their severity. */
type Check = (facts: Facts) => readonly Finding[];

const SEVERITIES = ["error", "warning", "note"];

export function auditFindings(facts: Facts): Finding[] {
  return CHECKS.flatMap((check) => check(facts)).sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
}

const when = (isFound: boolean, finding: () => Finding): Finding[] => (isFound ? [finding()] : []);

const have = (count: number, noun: string): string =>
  `${counted(count, noun)} ${agreeing(count, "has", "have")}`;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const example = (groups: readonly DuplicateGroup[]): string =>
  `for example ${groups[0]!.keys.slice(0, 3).join(" = ")}`;

function unreadable({ unreadable: files, images }: Facts): Finding[] {
  return [...groupBy(files, ({ code }) => code)].map(([code, group]) => ({
    code: "unreadable",
    severity: "error",
    message: `${counted(group.length, "file")} of ${images.toLocaleString("en")} cannot be read (${code}), the first: ${group[0]!.message}`,
    advice: "They are left out, or stop the run under --strict. The whole list is below.",
  }));
}

/** How much harm a group of equal films does: to labels, to splits, or to patients. */
export const gravity = ({ hasConflict, crossesSplits, crossesPatients }: DuplicateGroup): number =>
  4 * Number(hasConflict) + 2 * Number(crossesSplits) + Number(crossesPatients);

function exactDuplicates({ exactDuplicates: all }: Facts): Finding[] {
  const conflicts = all.filter(({ hasConflict }) => hasConflict);
  const splits = all.filter(({ crossesSplits }) => crossesSplits);
  const patients = all.filter(({ crossesPatients }) => crossesPatients);
  const copies = all.reduce((sum, { keys }) => sum + keys.length - 1, 0);
  return [
    ...when(conflicts.length > 0, () => ({
      code: "copies-in-conflict",
      severity: "error",
      message: `${have(conflicts.length, "film")} byte-identical copies with different labels, ${example(conflicts)}.`,
      advice: "One of the labels is wrong. Decide which, and remove the other copy.",
    })),
    ...when(splits.length > 0, () => ({
      code: "copies-across-splits",
      severity: "error",
      message: `${have(splits.length, "film")} byte-identical copies in more than one split, ${example(splits)}.`,
      advice: "Keep one copy of each, or results on that split are flattered.",
    })),
    ...when(patients.length > 0, () => ({
      code: "copies-across-patients",
      severity: "warning",
      message: `${have(patients.length, "film")} byte-identical copies under different patients, ${example(patients)}.`,
      advice: "Splits keep such patients together. Check how patients are numbered.",
    })),
    ...when(all.length > 0, () => ({
      code: "copies",
      severity: "note",
      message: `${have(all.length, "film")} byte-identical copies (${counted(copies, "superfluous file")}).`,
      advice: "Splits keep copies together, but they count more than once in training.",
    })),
  ];
}

function nearDuplicates({ nearDuplicates: all }: Facts): Finding[] {
  const conflicts = all.filter(({ hasConflict }) => hasConflict);
  const splits = all.filter(({ crossesSplits }) => crossesSplits);
  const patients = all.filter((group) => group.crossesPatients && !group.crossesSplits);
  const harmless = all.filter((group) => gravity(group) === 0);
  return [
    ...when(conflicts.length > 0, () => ({
      code: "near-copies-in-conflict",
      severity: "warning",
      message: `${counted(conflicts.length, "group")} of films look the same but have different labels, ${example(conflicts)}.`,
      advice: "Look at them: probably one film was saved twice and labelled twice.",
    })),
    ...when(splits.length > 0, () => ({
      code: "near-copies-across-splits",
      severity: "warning",
      message: `${counted(splits.length, "group")} of films in different splits look the same, ${example(splits)}.`,
      advice: "Look at them: a film saved again in another split flatters the results there.",
    })),
    ...when(patients.length > 0, () => ({
      code: "near-copies-across-patients",
      severity: "warning",
      message: `${counted(patients.length, "group")} of films of different patients look the same, ${example(patients)}.`,
      advice: "Look at them: a split by patient does not keep these together.",
    })),
    ...when(harmless.length > 0, () => ({
      code: "near-copies",
      severity: "note",
      message: `${counted(harmless.length, "group")} of films of one patient and part look the same without being identical: saved again, scaled, or with other contrast.`,
      advice: "They count more than once in training.",
    })),
  ];
}

function patients(facts: Facts): Finding[] {
  const { patientsAcrossSplits: found, images, patientsUnknown, splits } = facts;
  const val = splits.find(({ split }) => split === "val");
  const inTest = found.filter(({ splits: parts }) => "test" in parts);
  const inVal = found.filter(({ splits: parts }) => "val" in parts && "train" in parts);
  const first = ([one]: typeof found) =>
    `for example ${one!.patient}: ${Object.entries(one!.splits)
      .map(([split, count]) => `${count} in ${split}`)
      .join(", ")}`;
  return [
    ...when(inVal.length > 0 && val!.images >= SMALL_VALIDATION, () => ({
      code: "patients-across-splits",
      severity: "error",
      message: `${have(inVal.length, "patient")} films in both train and val (${first(inVal)}).`,
      advice:
        "Training refuses this unless --allow-leaks is given. Move a patient's films into one part.",
    })),
    ...when(inTest.length > 0, () => ({
      code: "patients-in-test",
      severity: "warning",
      message: `${have(inTest.length, "patient")} films in the test part and in another, by their numbers (${first(inTest)}).`,
      advice:
        "If the test part numbers its patients anew, as it may in the public archive, this means nothing; if not, results on it are flattered.",
    })),
    ...when(patientsUnknown > 0, () => ({
      code: "patients-unknown",
      severity: "warning",
      message: `${counted(patientsUnknown, "image")} of ${images.toLocaleString("en")} ${agreeing(patientsUnknown, "names", "name")} no patient, so each counts as its own.`,
      advice:
        "Several films of one patient may then cross from training to validation. Give --patient-pattern, or a patient column in a manifest.",
    })),
  ];
}

/** Patients that a label needs, so that a validation part holds a handful of them. */
const FEW_PATIENTS = 20;
const IMBALANCE = 2;

function balance({ splits, kind, labels }: Facts): Finding[] {
  const pool = splits.filter(({ split }) => split !== "test");
  const total = (label: string) => pool.reduce((sum, { labels: n }) => sum + n[label]!, 0);
  const counts = labels.map((label) => ({ label, images: total(label) }));
  const byCount = counts.toSorted((a, b) => b.images - a.images);
  const [most, least] = [byCount[0]!, byCount.at(-1)!];
  const few = counts.filter(({ images }) => images < FEW_PATIENTS);
  return [
    ...when(few.length > 0, () => ({
      code: "label-rare",
      severity: "warning",
      message: `Few images outside the test part show ${few.map(({ label, images }) => `${label} (${images})`).join(", ")}.`,
      advice:
        "What a model says of it can hardly be learned or judged. Gather more, or leave it out.",
    })),
    ...when(kind === "classes" && most.images > IMBALANCE * Math.max(1, least.images), () => ({
      code: "imbalance",
      severity: "note",
      message: `${most.label} outnumbers ${least.label} ${(most.images / Math.max(1, least.images)).toFixed(1)} to 1 (${most.images.toLocaleString("en")} and ${least.images.toLocaleString("en")} images).`,
      advice:
        "Judge by AUROC and balanced accuracy, not by accuracy alone; weigh classes or sample them evenly in training.",
    })),
  ];
}

/** Smaller validation parts cannot tell models apart. */
const SMALL_VALIDATION = 50;
/** Difference of a label's share between splits, in standard errors and absolutely. */
const SHIFT = { errors: 4, share: 0.05 };

function splitParts({ splits, labels, kind }: Facts): Finding[] {
  const named = (name: string) => splits.find(({ split }) => split === name);
  const [train, val, test] = [named("train"), named("val"), named("test")];
  const shareOf = (part: SplitCounts, label: string) => part.labels[label]! / part.images;
  const shifted = (label: string) => {
    if (!train || !test) return false;
    const [p, q] = [shareOf(train, label), shareOf(test, label)];
    const error = Math.sqrt((p * (1 - p)) / train.images + (q * (1 - q)) / test.images);
    return Math.abs(p - q) > SHIFT.share && Math.abs(p - q) > SHIFT.errors * error;
  };
  const shifts = (kind === "classes" && labels.length === 2 ? labels.slice(1) : labels).filter(
    shifted,
  );
  return [
    ...when(val !== undefined && val.images < SMALL_VALIDATION, () => ({
      code: "validation-useless",
      severity: "warning",
      message: `The validation part has only ${counted(val!.images, "image")}: a single one moves its accuracy by ${percent(1 / val!.images)}.`,
      advice:
        "It is of no use for choosing anything. Training draws validation patients from train instead, and says so.",
    })),
    ...when(test === undefined, () => ({
      code: "no-test-part",
      severity: "note",
      message: "No part is set aside as test.",
      advice:
        "Training draws validation patients by itself, but what is chosen on them cannot judge the result. Keep films apart in a folder named test, best from another hospital.",
    })),
    ...when(shifts.length > 0, () => ({
      code: "prevalence-shift",
      severity: "note",
      message: `${shifts.map((label) => `${label} has a share of ${percent(shareOf(train!, label))} in train and ${percent(shareOf(test!, label))} in test`).join("; ")}.`,
      advice: "Thresholds chosen on one do not carry over to the other; AUROC does.",
    })),
  ];
}

/** A measure that tells this well, beyond chance, is worth a sentence; above the first, a warning. */
const TELLING = { warning: 0.75, note: 0.65, standardErrors: 4 };
const strength = ({ auroc }: Difference): number => Math.max(auroc, 1 - auroc);

function differences({ differences: all }: Facts): Finding[] {
  const telling = all.filter(
    (found) => strength(found) >= TELLING.note && found.standardErrors > TELLING.standardErrors,
  );
  const pairs = groupBy(telling, ({ between, first, second }) =>
    JSON.stringify([between, first, second]),
  );
  return [...pairs.values()]
    .map((group) => group.toSorted((a, b) => strength(b) - strength(a)))
    .sort((a, b) => strength(b[0]!) - strength(a[0]!))
    .map((group): Finding => {
      const { between, first, second } = group[0]!;
      const isLabels = between === "labels";
      const list = group.slice(0, 3).map(described).join("; ");
      return {
        code: isLabels ? "shortcut" : "split-shift",
        severity: strength(group[0]!) >= TELLING.warning ? "warning" : "note",
        message: isLabels
          ? `${second} can be told from ${first} by plain numbers alone: ${list}.`
          : `The parts ${first} and ${second} differ beyond their labels: ${list}.`,
        advice: isLabels
          ? "A model may learn this in place of the lungs. Some of it may be the disease itself: look at heat maps, and test on films of another origin."
          : `Results on ${second} may differ for this alone. Train with augmentation that covers the difference.`,
      };
    });
}

/** "aspect ratio (wider, median 1.52 against 1.21; AUROC 0.84)" */
function described(found: Difference): string {
  const measure = MEASURES.find(({ name }) => name === found.measure)!;
  const direction = found.auroc > 0.5 ? measure.more : measure.less;
  const [a, b] = found.medians.map(rounded);
  return `${found.measure} (${found.second} ${direction}, median ${b} against ${a}; AUROC ${strength(found).toFixed(2)})`;
}

/** Three significant digits. */
export function rounded(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** Said better by a check of its own, or of no interest in an audit. */
const SAID_ELSEWHERE = new Set(["patient-unknown"]);

function problems({ problems: found }: Facts): Finding[] {
  return found
    .filter(({ code }) => !SAID_ELSEWHERE.has(code))
    .map(({ code, severity, message }) => ({ code, severity, message, advice: "" }));
}

const CHECKS: readonly Check[] = [
  unreadable,
  exactDuplicates,
  patients,
  nearDuplicates,
  splitParts,
  differences,
  balance,
  problems,
];
