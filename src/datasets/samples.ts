/** A list of samples, whether it is an array or lies in the columns of a large data set. */
import type { Sample } from "./dataset.ts";

/**
 * What lists of samples can do: a part of what arrays can, so that an array is one too. A sample is
 * made anew each time that it is asked for: two are the same where their keys are.
 */
export interface Samples extends Iterable<Sample> {
  readonly length: number;
  /** Undefined where there is none; counted from the end below 0. */
  at(index: number): Sample | undefined;
  map<T>(of: (sample: Sample, index: number) => T): T[];
  flatMap<T>(of: (sample: Sample, index: number) => T | readonly T[]): T[];
  filter(isKept: (sample: Sample, index: number) => boolean): Samples;
  find(isMeant: (sample: Sample, index: number) => boolean): Sample | undefined;
  some(is: (sample: Sample, index: number) => boolean): boolean;
  every(is: (sample: Sample, index: number) => boolean): boolean;
  forEach(use: (sample: Sample, index: number) => void): void;
  slice(start?: number, end?: number): Samples;
}

/** The list whose samples `read` makes; it is called with 0 to `length` - 1. */
export function samplesFrom(length: number, read: (index: number) => Sample): Samples {
  const found = (isMeant: (sample: Sample, index: number) => boolean): number => {
    for (let index = 0; index < length; index++) if (isMeant(read(index), index)) return index;
    return -1;
  };
  const list: Samples = {
    length,
    at(index) {
      const place = index < 0 ? length + index : index;
      return place >= 0 && place < length ? read(place) : undefined;
    },
    map: (of) => Array.from({ length }, (_, index) => of(read(index), index)),
    flatMap<T>(of: (sample: Sample, index: number) => T | readonly T[]) {
      const found = list.map(of);
      return found.flat() as T[];
    },
    filter(isKept) {
      const kept = new Uint32Array(length);
      let count = 0;
      list.forEach((sample, index) => {
        if (isKept(sample, index)) kept[count++] = index;
      });
      return picked(list, kept.slice(0, count));
    },
    find(isMeant) {
      const place = found(isMeant);
      return place < 0 ? undefined : read(place);
    },
    some: (is) => found(is) >= 0,
    every: (is) => found((sample, index) => !is(sample, index)) < 0,
    forEach(use) {
      for (let index = 0; index < length; index++) use(read(index), index);
    },
    slice(start = 0, end = length) {
      const [first, beyond] = [start, end].map((place) =>
        place < 0 ? Math.max(0, length + place) : Math.min(place, length),
      ) as [number, number];
      return samplesFrom(Math.max(0, beyond - first), (index) => read(first + index));
    },
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index++) yield read(index);
    },
  };
  return list;
}

/** The samples at these places, in this order. */
export function picked(samples: Samples, places: Uint32Array): Samples {
  return samplesFrom(places.length, (index) => samples.at(places[index]!)!);
}

/** One list after the other. */
export function joined(first: Samples, second: Samples): Samples {
  return samplesFrom(first.length + second.length, (index) =>
    index < first.length ? first.at(index)! : second.at(index - first.length)!,
  );
}
