/** What is stated of a gate: rates with Wilson's intervals. */
import type { Verdict } from "../../classifier/index.ts";
import { wilsonInterval } from "../../evaluation/index.ts";
import type { View } from "./views.ts";

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

type Seeable = View | "negatives";

/** What is counted of films, in which view. */
const FILM_RATES: Readonly<
  Record<string, { readonly of: Seeable; readonly is: (verdict: Verdict) => boolean }>
> = {
  "rejected, as they are": { of: "plain", is: isRefused },
  "rejected, heavily varied": { of: "varied", is: isRefused },
  "said to be inverted, as they are": { of: "plain", is: isInverted },
  "said to be inverted, negatives": { of: "negatives", is: isInverted },
  "rejected, negatives": { of: "negatives", is: isRefused },
  "rejected, turned": { of: "turned", is: isRefused },
  "rejected, parts": { of: "part", is: isRefused },
  "outside the population, as they are": {
    of: "plain",
    is: ({ warnings }) => warnings.length > 0,
  },
};

function isRefused({ assessed }: Verdict): boolean {
  return !assessed;
}

function isInverted({ corrections }: Verdict): boolean {
  return corrections.length > 0;
}

/** The rates of the views that there are. */
export function filmRates(
  verdicts: Readonly<Partial<Record<Seeable, readonly Verdict[]>>>,
): Readonly<Record<string, Rate>> {
  return Object.fromEntries(
    Object.entries(FILM_RATES).flatMap(([name, { of, is }]) => {
      const list = verdicts[of];
      return list ? [[name, rateOf(list.filter(is).length, list.length)]] : [];
    }),
  );
}
