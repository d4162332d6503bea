/**
 * Multivariate tree-structured Parzen estimators: draw from where good trials lie, take the draw
 * that is likeliest to be one of them. Source: Optuna 5.0, TPESampler(multivariate, group,
 * constant_liar). Dimensions that are always active together are drawn together. Unlike there,
 * failed trials count as bad ones: most of them diverged.
 */
import { randomStream } from "../../../random.ts";
import { nondominationRanks } from "../pareto.ts";
import { type Dimension, isActive, type Params, type Space } from "../space.ts";
import type { Observation } from "../trial.ts";
import { parzenEstimator } from "./parzen.ts";
import { randomParams } from "./random.ts";

const STARTUP_TRIALS = 10;
const CANDIDATES = 24;

/** The next configuration, given the trials so far in the order of their numbers. */
export function tpeParams(
  space: Space,
  trials: readonly Observation[],
  { seed, number }: { readonly seed: number; readonly number: number },
): Params {
  const ended = trials.filter(({ state }) => state === "complete" || state === "pruned");
  if (ended.length < STARTUP_TRIALS) return randomParams(space, seed, number);
  const { good, bad } = splitTrials(trials);
  let params: Params = {};
  for (const [index, group] of groupsOf(space).entries()) {
    if (!isActive(group[0]!, params)) continue;
    const random = randomStream(seed, "sweep", "tpe", number, index);
    params = { ...params, ...groupParams(group, { good, bad }, random) };
  }
  return params;
}

interface Split {
  readonly good: readonly Observation[];
  readonly bad: readonly Observation[];
}

function groupParams(
  group: readonly Dimension[],
  { good, bad }: Split,
  random: ReturnType<typeof randomStream>,
): Params {
  const having = (trials: readonly Observation[]) =>
    trials
      .map(({ params }) => params)
      .filter((params) => group.every(({ name }) => name in params));
  const below = parzenEstimator(group, having(good));
  const above = parzenEstimator(group, having(bad));
  let best: Params = {};
  let bestGain = Number.NEGATIVE_INFINITY;
  for (let draw = 0; draw < CANDIDATES; draw++) {
    const candidate = below.draw(random);
    const gain = below.logDensity(candidate) - above.logDensity(candidate);
    if (draw === 0 || gain > bestGain) {
      best = candidate;
      bestGain = gain;
    }
  }
  return best;
}

/** Dimensions by what activates them, parents first. */
export function groupsOf({ dimensions }: Space): Dimension[][] {
  const groups = new Map<string, Dimension[]>();
  for (const dimension of dimensions) {
    const key = JSON.stringify(dimension.when);
    groups.set(key, [...(groups.get(key) ?? []), dimension]);
  }
  return [...groups.values()];
}

/**
 * The best tenth (at most 25) and the rest, both by number: complete trials before pruned ones, those
 * by how far they came. Running and failed ones are with the rest.
 */
export function splitTrials(trials: readonly Observation[]): Split {
  const of = (state: Observation["state"]) => trials.filter((trial) => trial.state === state);
  const [complete, pruned] = [of("complete"), of("pruned")];
  const isSingle = complete.every(({ losses }) => losses.length === 1);
  const count = complete.length + pruned.length;
  const share = Math.ceil(0.1 * count);
  const wanted = isSingle ? Math.min(share, 25) : share;
  const ordered = [
    ...(isSingle ? sortedBy(complete, ({ losses }) => [losses[0]!]) : byRank(complete)),
    ...sortedBy(pruned, ({ reports }) => {
      const last = reports.at(-1);
      return last ? [-last.step, last.loss] : [1, 0];
    }),
  ];
  const good = new Set(ordered.slice(0, wanted).map(({ number }) => number));
  return {
    good: trials.filter(({ number }) => good.has(number)),
    bad: trials.filter(({ number }) => !good.has(number)),
  };
}

function sortedBy(
  trials: readonly Observation[],
  keyOf: (trial: Observation) => readonly number[],
): Observation[] {
  return [...trials].sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    const at = left.findIndex((value, index) => value !== right[index]);
    return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1;
  });
}

/** Several objectives: by front, within a front the most solitary first. */
function byRank(trials: readonly Observation[]): Observation[] {
  const ranks = nondominationRanks(trials.map(({ losses }) => losses));
  const place = new Map(trials.map((trial, index) => [trial, ranks[index]!]));
  return sortedBy(trials, (trial) => {
    const { rank, crowding } = place.get(trial)!;
    return [rank, -crowding];
  });
}
