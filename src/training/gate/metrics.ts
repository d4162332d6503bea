/** What is stated of a gate: rates with Wilson's intervals. */
import type { GateLimits, Verdict } from "../../classifier/index.ts";
import { wilsonInterval } from "../../evaluation/index.ts";
import type { View } from "./views.ts";

export interface Scored {
  readonly ordered: readonly number[];
  readonly values: Readonly<Record<string, number>>;
}

export interface Rate {
  readonly count: number;
  readonly n: number;
  readonly value: number;
  readonly interval: { readonly low: number; readonly high: number } | null;
}

export interface Caught {
  readonly all: Rate;
  readonly bySource: Readonly<Record<string, Rate>>;
}

export interface GateMetrics {
  readonly films: Readonly<Record<string, Rate>>;
  /** Of sources that took no part in the fitting. */
  readonly unseenSources: Caught;
  readonly limits: GateLimits;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly seed: number;
}

export const rateOf = (count: number, n: number): Rate => ({
  count,
  n,
  value: n === 0 ? 0 : count / n,
  interval: wilsonInterval(count, n),
});

export function caught(images: readonly { source: string; isCaught: boolean }[]): Caught {
  const rate = (list: typeof images) =>
    rateOf(list.filter(({ isCaught }) => isCaught).length, list.length);
  const sources = [...new Set(images.map(({ source }) => source))].sort();
  return {
    all: rate(images),
    bySource: Object.fromEntries(
      sources.map((name) => [name, rate(images.filter(({ source }) => source === name))]),
    ),
  };
}

export function measured({
  views,
  negatives,
  unseen,
  ...rest
}: {
  readonly views: Readonly<Record<View, readonly Verdict[]>>;
  readonly negatives: readonly Verdict[];
  readonly unseen: Caught;
  readonly provenance: GateMetrics["provenance"];
  readonly limits: GateLimits;
  readonly seed: number;
}): GateMetrics {
  const rate = (list: readonly Verdict[], is: (verdict: Verdict) => boolean) =>
    rateOf(list.filter(is).length, list.length);
  const isRefused = ({ assessed }: Verdict) => !assessed;
  return {
    films: {
      "rejected, as they are": rate(views.plain, isRefused),
      "rejected, heavily varied": rate(views.varied, isRefused),
      "said to be inverted, as they are": rate(
        views.plain,
        ({ corrections }) => corrections.length > 0,
      ),
      "said to be inverted, negatives": rate(
        negatives,
        ({ corrections }) => corrections.length > 0,
      ),
      "rejected, negatives": rate(negatives, isRefused),
      "rejected, turned": rate(views.turned, isRefused),
      "rejected, parts": rate(views.part, isRefused),
      "outside the population, as they are": rate(
        views.plain,
        ({ warnings }) => warnings.length > 0,
      ),
    },
    unseenSources: unseen,
    ...rest,
  };
}
