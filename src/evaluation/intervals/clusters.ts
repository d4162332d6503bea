/** Films by patient, and how they are drawn again: patients are independent, their films are not. */
import { randomStream } from "../../random.ts";
import { unitWeights, type Weights } from "../sorted-scores.ts";

export interface Clusters {
  readonly count: number;
  /** The patient of each film, from 0. */
  readonly byFilm: Uint32Array;
  /** Whether a patient has several films. */
  readonly areGrouped: boolean;
}

/** Where the patients are not known, every film is its own. */
export function clustersOf(films: number, patients: readonly string[] | undefined): Clusters {
  if (!patients)
    return {
      count: films,
      byFilm: Uint32Array.from({ length: films }, (_, i) => i),
      areGrouped: false,
    };
  const numbers = new Map<string, number>();
  const byFilm = Uint32Array.from(patients, (patient) => {
    const number = numbers.get(patient) ?? numbers.size;
    numbers.set(patient, number);
    return number;
  });
  return { count: numbers.size, byFilm, areGrouped: numbers.size < films };
}

/** More groups make the acceleration no better that matters: its standard error is 0.4 / groups. */
const JACKKNIFE_GROUPS = 400;

/**
 * The weights of a bootstrap's rounds: as many patients as there are, drawn with replacement. The
 * array is the same in every round.
 */
export function* bootstrapWeights(
  { count, byFilm }: Clusters,
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): Generator<Weights> {
  const drawn = new Uint32Array(count);
  const weights = new Uint32Array(byFilm.length);
  for (let round = 0; round < rounds; round++) {
    const random = randomStream(seed, "bootstrap", round);
    drawn.fill(0);
    for (let i = 0; i < count; i++) drawn[random.integer(count)]!++;
    for (let film = 0; film < weights.length; film++) weights[film] = drawn[byFilm[film]!]!;
    yield weights;
  }
}

/** The weights with each patient left out once or, where there are many, each of some hundred groups. */
export function* jackknifeWeights({ count, byFilm }: Clusters, seed: number): Generator<Weights> {
  const groups = Math.min(count, JACKKNIFE_GROUPS);
  const places = Array.from({ length: count }, (_, patient) => patient);
  const order = groups < count ? randomStream(seed, "jackknife").shuffled(places) : places;
  const groupOf = new Uint32Array(count);
  order.forEach((patient, place) => {
    groupOf[patient] = place % groups;
  });
  const weights = unitWeights(byFilm.length);
  for (let group = 0; group < groups; group++) {
    for (let film = 0; film < weights.length; film++)
      weights[film] = groupOf[byFilm[film]!] === group ? 0 : 1;
    yield weights;
  }
}
