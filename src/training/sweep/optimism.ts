/**
 * How much choosing the best of n flatters its score: the choice is repeated on patients drawn with
 * replacement, and the chosen judged on those that were not drawn. Source: Tsamardinos, Greasidou and
 * Borboudakis 2018, "Bootstrapping the out-of-sample predictions for efficient and accurate
 * cross-validation" (BBC-CV).
 */
import type { Task } from "../../datasets/index.ts";
import { evaluatePredictions, isBetter } from "../../evaluation/index.ts";
import { randomStream } from "../../random.ts";
import type { Objective } from "./config.ts";
import type { SavedPredictions } from "./sweep-folder.ts";

export interface Optimism {
  /** Among how many configurations the choice was. */
  readonly candidates: number;
  /** The best one's score on all patients of validation. */
  readonly apparent: number;
  /** What such a choice scores on patients that took no part in it: mean and middle 95 %. */
  readonly corrected: number;
  readonly low: number;
  readonly high: number;
  /** By how much the apparent score flatters; negative where it does not. */
  readonly flatters: number;
  readonly rounds: number;
}

/** Whole evaluations are slower than an area under a curve. */
const ROUNDS = { area: 400, whole: 60 } as const;

/** The metric of a configuration on films that count as often as `weights` says. */
type Score = (weights: Uint32Array) => number | null;

/**
 * Undefined where the configurations did not predict the same patients, or the metric is not defined.
 */
export function optimismOf(
  configurations: readonly SavedPredictions[],
  task: Task,
  { name, direction }: Objective,
  seed: number,
): Optimism | undefined {
  const [first] = configurations;
  if (!first || configurations.some(({ patients }) => `${patients}` !== `${first.patients}`))
    return undefined;
  const column =
    name === "auroc" && task.kind === "classes" ? (task.positive ?? undefined) : undefined;
  const scores = configurations.map((configuration) =>
    column === undefined ? wholeScore(configuration, task, name) : areaScore(configuration, column),
  );
  const chosen = (weights: Uint32Array) => {
    let best: { index: number; value: number } | undefined;
    for (const [index, score] of scores.entries()) {
      const value = score(weights);
      if (value !== null && isBetter(value, best?.value ?? null, direction))
        best = { index, value };
    }
    return best;
  };
  const whole = chosen(new Uint32Array(first.patients.length).fill(1));
  if (!whole) return undefined;
  const rounds = column === undefined ? ROUNDS.whole : ROUNDS.area;
  const outside: number[] = [];
  const random = randomStream(seed, "sweep", "optimism");
  for (let round = 0; round < rounds; round++) {
    const { drawn, rest } = resampled(first.patients, random);
    const best = chosen(drawn);
    const value = best && scores[best.index]!(rest);
    if (typeof value === "number") outside.push(value);
  }
  if (outside.length < rounds / 2) return undefined;
  outside.sort((a, b) => a - b);
  const corrected = outside.reduce((a, b) => a + b, 0) / outside.length;
  const at = (share: number) => outside[Math.round(share * (outside.length - 1))]!;
  return {
    candidates: configurations.length,
    apparent: whole.value,
    corrected,
    low: at(0.025),
    high: at(0.975),
    flatters: direction === "higher" ? whole.value - corrected : corrected - whole.value,
    rounds: outside.length,
  };
}

/** How often each film counts: of patients drawn with replacement, and of those not drawn. */
function resampled(
  patients: readonly string[],
  random: ReturnType<typeof randomStream>,
): { drawn: Uint32Array; rest: Uint32Array } {
  const names = [...new Set(patients)];
  const times = new Map(names.map((name) => [name, 0]));
  for (let draw = 0; draw < names.length; draw++) {
    const name = names[random.integer(names.length)]!;
    times.set(name, times.get(name)! + 1);
  }
  const drawn = Uint32Array.from(patients, (name) => times.get(name)!);
  return { drawn, rest: drawn.map((count) => Number(count === 0)) };
}

function wholeScore({ predictions }: SavedPredictions, task: Task, metric: string): Score {
  return (weights) => {
    const rows = predictions.flatMap((row, index) => new Array(weights[index]!).fill(row));
    return rows.length === 0
      ? null
      : (evaluatePredictions(rows, task, { rounds: 0 }).metrics[metric]?.value ?? null);
  };
}

/** The area under the ROC curve, films sorted once: every round is then one pass over them. */
export function areaScore({ predictions }: SavedPredictions, column: number): Score {
  const scores = predictions.map(({ probabilities }) => probabilities[column]!);
  const isPositive = predictions.map(({ target }) => target[column] === 1);
  const order = scores.map((_, index) => index).sort((a, b) => scores[a]! - scores[b]!);
  return (weights) => {
    let [below, positives, wins] = [0, 0, 0];
    for (let from = 0; from < order.length; ) {
      const score = scores[order[from]!]!;
      let [negative, positive] = [0, 0];
      for (; from < order.length && scores[order[from]!] === score; from++) {
        const film = order[from]!;
        if (isPositive[film]) positive += weights[film]!;
        else negative += weights[film]!;
      }
      wins += positive * (below + negative / 2);
      below += negative;
      positives += positive;
    }
    return positives === 0 || below === 0 ? null : wins / (positives * below);
  };
}
