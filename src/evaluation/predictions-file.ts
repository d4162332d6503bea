/**
 * predictions.csv, ours or somebody else's. Two classes: path, patient, label, probability (of the
 * positive one). Several: path, patient, label and a column p:CLASS for each. Findings that may be
 * present together: p:FINDING and y:FINDING (1, 0 or nothing where it is unknown), the label for
 * people only. Further columns are kept.
 */
import { isNegativeName, type Task } from "../datasets/index.ts";
import { HilumError, nearest } from "../errors.ts";
import type { Prediction } from "./prediction.ts";
import type { PredictionSet } from "./prediction-set.ts";
import { invalid, type Row, rowsOf } from "./predictions-rows.ts";

const [PATH, PATIENT, LABEL, PROBABILITY] = ["path", "patient", "label", "probability"];
export const PROBABILITY_PREFIX = "p:";
export const TRUTH_PREFIX = "y:";

/** Probabilities of classes may be rounded: to three digits they miss 1 by less. */
const SUM_TOLERANCE = 0.02;

export interface ReadPredictionsOptions {
  /** The positive class; by default the one whose name does not say that nothing was found. */
  readonly positive?: string | undefined;
  /** What is told apart where it is known already: the file has to fit it. */
  readonly task?: Task | undefined;
}

/** What the header decides: where the numbers stand. */
interface Columns {
  /** Classes or findings with a column each; null where there is only `probability`. */
  readonly labels: readonly string[] | null;
  readonly isFindings: boolean;
  readonly further: readonly string[];
}

/**
 * The predictions in a CSV file, read as a stream. Throws `file-not-found`, `predictions-invalid`
 * and `probability-invalid` naming the row (its line in the file), and `invalid-option` where it is
 * open which class is positive.
 */
export async function readPredictions(
  file: string,
  { positive, task: known }: ReadPredictionsOptions = {},
): Promise<PredictionSet> {
  const rows: Row[] = [];
  let columns: Columns | undefined;
  const seen = new Map<string, number>();
  for await (const row of rowsOf(file, (names) => {
    columns = columnsOf(file, names);
  })) {
    const path = row.cells[PATH!]!;
    if (path === "") invalid(file, row.line, "the path is empty");
    const first = seen.get(path);
    if (first !== undefined)
      invalid(file, row.line, `${path} stands in row ${first} already; an image may be there once`);
    seen.set(path, row.line);
    rows.push(row);
  }
  if (!columns || rows.length === 0) return invalid(file, 1, "there are no rows");
  const task = known ?? taskOf(file, rows, columns, positive);
  return {
    task,
    keys: rows.map(({ cells }) => cells[PATH!]!),
    patients: rows.map(({ cells }) => cells[PATIENT!] || `file:${cells[PATH!]}`),
    predictions: rows.map((row) => predictionOf(file, row, task)),
    columns: Object.fromEntries(
      columns.further.map((name) => [name, rows.map(({ cells }) => cells[name] ?? "")]),
    ),
  };
}

function columnsOf(file: string, names: readonly string[]): Columns {
  const twice = names.find((name, index) => name !== "" && names.indexOf(name) < index);
  if (twice !== undefined) invalid(file, 1, `there are two columns "${twice}"`);
  const named = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const [labels, truths] = [named(PROBABILITY_PREFIX), named(TRUTH_PREFIX)];
  const isFindings = truths.length > 0;
  requireColumn(file, names, PATH!);
  if (!isFindings) requireColumn(file, names, LABEL!);
  if (labels.length === 0) requireColumn(file, names, PROBABILITY!);
  if (labels.length === 1 && !isFindings)
    invalid(file, 1, `there is one column p:${labels[0]} only; give one for each class`);
  const lacking = truths.find((name) => !labels.includes(name));
  if (lacking !== undefined) invalid(file, 1, `y:${lacking} has no column p:${lacking}`);
  const known = [PATH, PATIENT, LABEL, PROBABILITY];
  return {
    labels: labels.length === 0 ? null : isFindings ? truths : labels,
    isFindings,
    further: names.filter((name) => name !== "" && !known.includes(name) && !/^[py]:/.test(name)),
  };
}

function requireColumn(file: string, names: readonly string[], wanted: string): void {
  if (names.includes(wanted)) return;
  const close = nearest(wanted, names);
  invalid(
    file,
    1,
    `there is no column "${wanted}"${close ? ` (is it "${close}"?)` : ""}; there have to be path, label, and probability or p:CLASS for each class`,
  );
}

function taskOf(
  file: string,
  rows: readonly Row[],
  { labels, isFindings }: Columns,
  positive: string | undefined,
): Task {
  if (isFindings) {
    if (positive !== undefined)
      refusePositive(positive, [], "of findings none is the positive one");
    return { kind: "findings", findings: labels! };
  }
  if (labels && labels.length > 2) {
    if (positive !== undefined) refusePositive(positive, labels, "there are more than two classes");
    return { kind: "classes", classes: labels, positive: null };
  }
  const classes = labels ?? classesOf(file, rows, positive);
  return { kind: "classes", classes, positive: positiveIndex(classes, positive) };
}

/** The negative class first. Of a file with one class only, the other has no name. */
function classesOf(file: string, rows: readonly Row[], positive: string | undefined): string[] {
  const lines = new Map<string, number>();
  for (const { cells, line } of rows) {
    const label = cells[LABEL!]!;
    if (label === "") invalid(file, line, "the label is empty");
    if (lines.has(label)) continue;
    lines.set(label, line);
    if (lines.size > 2)
      invalid(
        file,
        line,
        `"${label}" is a third class besides ${[...lines.keys()].slice(0, 2).join(" and ")}; more than two classes need a column p:CLASS for each`,
      );
  }
  const names = [...lines.keys()];
  if (names.length === 2)
    return names.sort((a, b) => Number(isNegativeName(b)) - Number(isNegativeName(a)));
  const [only] = names as [string];
  const isPositive = positive === undefined ? !isNegativeName(only) : positive === only;
  if (isPositive) return [`not ${only}`, only];
  return [only, positive ?? `not ${only}`];
}

function positiveIndex(classes: readonly string[], positive: string | undefined): number {
  if (positive !== undefined) {
    const index = classes.indexOf(positive);
    return index < 0 ? refusePositive(positive, classes, "no class is called so") : index;
  }
  const found = classes.flatMap((name, index) => (isNegativeName(name) ? [] : [index]));
  const isMadeUp = classes.some((name) => name.startsWith("not "));
  if (found.length === 1 || isMadeUp) return found.length === 1 ? found[0]! : 1;
  throw new HilumError(
    "invalid-option",
    `Which class is positive: ${classes.join(" or ")}? Say it with --positive ${classes[1]}.`,
    { option: "positive", allowed: classes },
  );
}

function refusePositive(value: string, allowed: readonly string[], why: string): never {
  throw new HilumError(
    "invalid-option",
    `Option --positive is "${value}", but ${why}.${allowed.length > 0 ? ` There are: ${allowed.join(", ")}.` : ""}`,
    { option: "positive", value, allowed },
  );
}

function predictionOf(file: string, row: Row, task: Task): Prediction {
  const { line, cells } = row;
  const numberIn = (name: string): number => probabilityIn(file, row, name);
  if (task.kind === "findings")
    return {
      target: task.findings.map((name) => truthIn(file, row, `${TRUTH_PREFIX}${name}`)),
      probabilities: task.findings.map((name) => numberIn(`${PROBABILITY_PREFIX}${name}`)),
    };
  const { classes, positive } = task;
  const label = cells[LABEL!]!;
  const truth = classes.indexOf(label);
  if (truth < 0)
    invalid(file, line, `the label "${label}" is none of the classes ${classes.join(", ")}`);
  const target = classes.map((_, index) => (index === truth ? 1 : 0) as 0 | 1);
  if (`${PROBABILITY_PREFIX}${classes[0]}` in cells) {
    const probabilities = classes.map((name) => numberIn(`${PROBABILITY_PREFIX}${name}`));
    const sum = probabilities.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) > SUM_TOLERANCE)
      refuseProbability(
        file,
        line,
        `the probabilities of the classes add up to ${sum.toFixed(3)}, not to 1; findings that may be present together need columns y:FINDING`,
      );
    return { target, probabilities };
  }
  const p = numberIn(PROBABILITY!);
  return { target, probabilities: positive === 1 ? [1 - p, p] : [p, 1 - p] };
}

function probabilityIn(file: string, { line, cells }: Row, name: string): number {
  const text = cells[name] ?? "";
  const value = text === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  return refuseProbability(
    file,
    line,
    `${name} is ${text === "" ? "empty" : `"${text}"`}; it has to be a number from 0 to 1`,
  );
}

function truthIn(file: string, { line, cells }: Row, name: string): 0 | 1 | null {
  const text = cells[name] ?? "";
  if (text === "") return null;
  if (text === "0" || text === "1") return text === "1" ? 1 : 0;
  return invalid(file, line, `${name} is "${text}"; it has to be 1, 0 or empty`);
}

function refuseProbability(file: string, row: number, problem: string): never {
  throw new HilumError("probability-invalid", `${file}, row ${row}: ${problem}.`, {
    file,
    row,
    problem,
  });
}
