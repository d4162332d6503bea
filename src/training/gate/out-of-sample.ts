/**
 * How often the gate errs on films that took no part in setting its limits: patients are dealt to folds,
 * and each fold is judged by limits set on the others. The heads are fitted to other patients anyway.
 */
import { GATE_SCORES, type GateLimits, type Verdict, verdictOf } from "../../classifier/index.ts";
import { hashPath } from "../../random.ts";
import { limitsFrom } from "./limits.ts";
import { filmRates, type Rate } from "./metrics.ts";
import type { Scored, ScoredFilms } from "./scored.ts";

const FOLDS = 5;

export interface OutOfSample {
  readonly folds: number;
  readonly films: number;
  readonly patients: number;
  readonly rates: Readonly<Record<string, Rate>>;
}

/** Wilson's intervals count films as if each were a patient of its own: with several they are too narrow. */
export function outOfSample(films: ScoredFilms, seed: number): OutOfSample {
  const patients = films.plain.map(({ patient }) => patient);
  const foldOf = (patient: string) => hashPath(seed, "gate limits", patient) % FOLDS;
  const limitsWithout = Array.from({ length: FOLDS }, (_, fold) => {
    const others = (list: readonly Scored[]) =>
      list.filter(({ patient }) => foldOf(patient) !== fold);
    return limitsFrom(others(films.plain), others(films.varied));
  });
  const judged = (list: readonly Scored[]) =>
    list.map(({ ordered, patient }) => verdictBy(ordered, limitsWithout[foldOf(patient)]!));
  return {
    folds: FOLDS,
    films: patients.length,
    patients: new Set(patients).size,
    rates: filmRates({
      plain: judged(films.plain),
      varied: judged(films.varied),
      negatives: judged(films.negatives),
    }),
  };
}

const verdictBy = (ordered: readonly number[], limits: GateLimits): Verdict =>
  verdictOf(ordered, {
    scores: GATE_SCORES.map((score) => ({ ...score, limit: limits[score.name] })),
  });
