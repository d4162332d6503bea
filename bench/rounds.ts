/** Interleaved rounds: in each, every contestant takes its steps, one after another. */
import type { Contestant } from "./contestant.ts";
import { busyShare, cpuTimes } from "./machine.ts";
import { type Summary, summaryOf } from "./summary.ts";

export interface RoundOptions {
  readonly rounds: number;
  /** Aimed at for each contestant in each round. */
  readonly seconds: number;
  readonly batch: number;
  readonly onRound?: ((round: number) => void) | undefined;
}

/** Of images per second. */
export interface Rate extends Summary {
  /** Share of all cores that other programs used meanwhile, mean over the rounds. */
  readonly disturbance: number;
  /** Processor time an image, all threads together: hardly changed by what others do. */
  readonly cpuMilliseconds: number;
}

interface Measurement {
  readonly imagesPerSecond: number;
  readonly disturbance: number;
  readonly cpuMilliseconds: number;
}

const WARM_UP_STEPS = 2;
/** Thread pools go on spinning for a moment after their work; the next one must not pay for it. */
const REST_MS = 250;
/** A measurement that others disturbed more than this is repeated, so often at most. */
const DISTURBED = 0.08;
const TRIES = 2;
/** Before each, others get so long to finish what they do. */
const QUIET_WAIT_MS = 4000;

export async function measureRates(
  contestants: readonly Contestant[],
  { rounds, seconds, batch, onRound }: RoundOptions,
): Promise<Map<string, Rate>> {
  const steps = new Map<string, number>();
  for (const contestant of contestants) {
    const first = await contestant.run(1);
    // Who needs that long is not waited for again.
    const isSlow = first > 2 * seconds;
    if (!isSlow) await contestant.run(1);
    const perStep = isSlow ? first : (await contestant.run(WARM_UP_STEPS)) / WARM_UP_STEPS;
    steps.set(contestant.name, Math.max(1, Math.round(seconds / perStep)));
  }
  const taken = new Map(contestants.map(({ name }) => [name, [] as Measurement[]]));
  for (let round = 0; round < rounds; round++) {
    onRound?.(round + 1);
    for (const contestant of rotated(contestants, round))
      taken
        .get(contestant.name)!
        .push(await undisturbed(contestant, { steps: steps.get(contestant.name)!, batch }));
  }
  return new Map([...taken].map(([name, values]) => [name, rateOf(values)]));
}

/** The least disturbed of a few tries, or the first that is quiet: chosen by what others did only. */
async function undisturbed(contestant: Contestant, work: Work): Promise<Measurement> {
  let best: Measurement | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await quiet();
    const measurement = await measured(contestant, work);
    if (!best || measurement.disturbance < best.disturbance) best = measurement;
    if (best.disturbance <= DISTURBED) break;
  }
  return best!;
}

async function quiet(): Promise<void> {
  const until = performance.now() + QUIET_WAIT_MS;
  while ((await busyShare(REST_MS)) > DISTURBED && performance.now() < until);
}

interface Work {
  readonly steps: number;
  readonly batch: number;
}

async function measured(contestant: Contestant, { steps, batch }: Work): Promise<Measurement> {
  const before = { ...cpuTimes(), own: contestant.cpuSeconds() };
  const seconds = await contestant.run(steps);
  const after = { ...cpuTimes(), own: contestant.cpuSeconds() };
  const own = after.own - before.own;
  const others = after.busy - before.busy - own;
  return {
    imagesPerSecond: (steps * batch) / seconds,
    disturbance: Math.max(0, others / (after.total - before.total)),
    cpuMilliseconds: (1000 * own) / (steps * batch),
  };
}

/** Nobody always runs after the same neighbour. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function rateOf(taken: readonly Measurement[]): Rate {
  return {
    ...summaryOf(taken.map(({ imagesPerSecond }) => imagesPerSecond)),
    disturbance: taken.reduce((sum, one) => sum + one.disturbance, 0) / taken.length,
    cpuMilliseconds: summaryOf(taken.map((one) => one.cpuMilliseconds)).median,
  };
}
