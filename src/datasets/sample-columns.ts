/**
 * The samples of a data set as columns of bytes. 100,000 objects with their strings take 28 MB of
 * V8's heap, which it lets grow to a multiple before it collects; the columns take 6 MB beside it.
 */
import { join } from "node:path";
import type { Sample } from "./dataset.ts";
import { numbersBelow } from "./numbering.ts";
import { picked, type Samples, samplesFrom } from "./samples.ts";
import { textColumn } from "./text-column.ts";

/** A sample lies where its key says, below the root. */
export type SampleRow = Omit<Sample, "path">;

export interface SampleColumns {
  push(row: SampleRow): void;
  /** All samples in order of their keys; nothing may be pushed afterwards. */
  sorted(): Samples;
}

const NO_COLUMNS: Sample["columns"] = {};

export function sampleColumns(root: string): SampleColumns {
  const keys = textColumn();
  /** "" where the patient is the film. */
  const patients = textColumn();
  /** As JSON; "" for none. */
  const columns = textColumn();
  const splits = distinct<Sample["split"]>();
  const targets = distinct<Sample["target"]>();
  let count = 0;

  const read = (index: number): Sample => {
    const key = keys.at(index);
    const further = columns.at(index);
    return {
      key,
      path: join(root, key),
      split: splits.at(index),
      target: targets.at(index),
      patient: patients.at(index) || filmAsPatient(key),
      columns: further === "" ? NO_COLUMNS : (JSON.parse(further) as Sample["columns"]),
    };
  };

  return {
    push({ key, split, target, patient, columns: further }) {
      keys.push(key);
      patients.push(patient === filmAsPatient(key) ? "" : patient);
      columns.push(Object.keys(further).length === 0 ? "" : JSON.stringify(further));
      splits.push(split);
      targets.push(target);
      count++;
    },
    sorted() {
      for (const column of [keys, patients, columns, splits, targets]) column.trim();
      const samples = samplesFrom(count, read);
      const places = numbersBelow(count);
      const isSorted = places.every((place) => place === 0 || keys.compare(place - 1, place) <= 0);
      return isSorted ? samples : picked(samples, places.sort(keys.compare));
    },
  };
}

/** Who is on a film where nothing else is known. */
export const filmAsPatient = (key: string): string => `file:${key}`;

/** A column of few different values, each held once. */
function distinct<T>() {
  const values: T[] = [];
  const known = new Map<string, number>();
  let numbers: Uint8Array | Uint32Array = new Uint8Array(64);
  let count = 0;
  return {
    push(value: T) {
      const name = JSON.stringify(value);
      const number = known.get(name) ?? values.push(value) - 1;
      known.set(name, number);
      const Numbers = values.length > 256 ? Uint32Array : Uint8Array;
      if (count === numbers.length || !(numbers instanceof Numbers)) {
        const before = numbers;
        numbers = new Numbers(count === before.length ? count + (count >> 1) : before.length);
        numbers.set(before);
      }
      numbers[count++] = number;
    },
    at: (index: number): T => values[numbers[index]!]!,
    trim() {
      numbers = numbers.slice(0, count);
    },
  };
}
