/** Groups that must stay together: a patient's films, and patients who share a byte-identical film. */
import type { Sample } from "./dataset.ts";
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

/** The group of each sample, named after one of its patients (union-find over patients and digests). */
export function indivisibleGroups(
  samples: Samples,
  digestOf: (sample: Sample) => string | undefined = () => undefined,
): (sample: Sample) => string {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    const parent = parents.get(name) ?? name;
    if (parent === name) return name;
    const root = find(parent);
    parents.set(name, root);
    return root;
  };
  for (const sample of samples) {
    const digest = digestOf(sample);
    if (digest === undefined) continue;
    const [a, b] = [find(sample.patient), find(`digest:${digest}`)];
    if (a !== b) parents.set(b, a);
  }
  return (sample) => find(sample.patient);
}
