/**
 * The one seeded generator. A stream is named by its path, for example
 * `randomStream(seed, "augment", epoch, step, sample)`; equal paths give equal numbers, whatever
 * was drawn elsewhere, so that a resumed run repeats the interrupted one exactly.
 */

export interface RandomStream {
  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Uniform integer in [0, count). */
  integer(count: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(items: Iterable<T>): T[];
  /** The items themselves, shuffled where they lie, in the order that `shuffled` gives. */
  shuffle<L extends unknown[] | Uint32Array>(items: L): L;
}

/** 32-bit hash of a path of integers and strings. Source: MurmurHash3's mixing steps (Appleby, public domain). */
export function hashPath(...path: readonly (number | string)[]): number {
  let h = 0x9747b28c;
  for (const part of path) {
    if (typeof part === "string") {
      for (let i = 0; i < part.length; i++) h = mix(h, part.charCodeAt(i));
      h = mix(h, 0x5bd1e995 ^ part.length);
    } else {
      h = mix(h, part >>> 0);
      h = mix(h, Math.floor(part / 0x100000000) >>> 0);
    }
  }
  return finish(h);
}

function mix(h: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  k = Math.imul(k, 0x1b873593);
  const x = h ^ k;
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A stream of random numbers named by `path`. Source: sfc32 (Doty-Humphrey, PractRand, public domain). */
export function randomStream(...path: readonly (number | string)[]): RandomStream {
  let a = hashPath(...path, "a");
  let b = hashPath(...path, "b");
  let c = hashPath(...path, "c");
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const uniform = () => next() / 0x100000000;
  const integer = (count: number) => Math.floor(uniform() * count);
  const shuffle = <L extends unknown[] | Uint32Array>(items: L): L => {
    for (let i = items.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      const swapped = items[i]!;
      items[i] = items[j]!;
      items[j] = swapped;
    }
    return items;
  };
  return {
    uniform,
    integer,
    shuffle,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    chance: (probability) => uniform() < probability,
    shuffled: (items) => shuffle([...items]),
  };
}
