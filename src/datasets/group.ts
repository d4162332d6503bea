/** Groups that must stay together: a patient's films, and patients who share a byte-identical film. */
import type { Sample } from "./dataset.ts";
import { type Numbering, numbered, numbersBelow } from "./numbering.ts";
import type { Samples } from "./samples.ts";

/** The items by key, keys in the order of their first item. */
export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Digest of the bytes of a film, which is at that index of its list; undefined where it is unknown. */
export type DigestOf = (sample: Sample, index: number) => string | undefined;

/** Groups of films under numbers from 0, in the order of their first films. */
export interface Groups {
  readonly count: number;
  /** The group of each film. */
  readonly of: Uint32Array;
  /** Films of each group. */
  readonly sizes: Uint32Array;
  /** One of its patients. */
  nameOf(group: number): string;
}

/** The groups of the samples, by union-find over patients and digests. */
export function indivisibleGroups(samples: Samples, digestOf?: DigestOf): Groups {
  const patientAt = (index: number) => samples.at(index)!.patient;
  const { numbers, firsts } = numbered(samples.length, patientAt);
  const rootOf = digestOf
    ? joinedByCopies({ numbers, firsts }, copiesAmong(samples, digestOf))
    : (patient: number) => patient;
  const groupOfRoot = new Int32Array(firsts.length).fill(-1);
  const roots = new Uint32Array(firsts.length);
  const of = new Uint32Array(samples.length);
  let count = 0;
  for (const [index, patient] of numbers.entries()) {
    const root = rootOf(patient);
    if (groupOfRoot[root] === -1) {
      roots[count] = root;
      groupOfRoot[root] = count++;
    }
    of[index] = groupOfRoot[root]!;
  }
  const sizes = new Uint32Array(count);
  for (const group of of) sizes[group]!++;
  return { count, of, sizes, nameOf: (group) => patientAt(firsts[roots[group]!]!) };
}

/** Of each film the first with the same bytes, which may be itself. */
function copiesAmong(samples: Samples, digestOf: DigestOf): Int32Array {
  const { numbers, firsts } = numbered(samples.length, (index) =>
    digestOf(samples.at(index)!, index),
  );
  return numbers.map((number, index) => (number < 0 ? index : firsts[number]!));
}

/** A patient who stands for each, the same one for all who share films. */
function joinedByCopies(
  { numbers, firsts }: Pick<Numbering, "numbers" | "firsts">,
  originals: Int32Array,
): (patient: number) => number {
  const parents = numbersBelow(firsts.length);
  const find = (patient: number): number => {
    let root = patient;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root]!]!;
      root = parents[root]!;
    }
    return root;
  };
  // The later film's patient stands for both: splits of runs long since made depend on it.
  for (const [index, original] of originals.entries())
    parents[find(numbers[original]!)] = find(numbers[index]!);
  return find;
}
