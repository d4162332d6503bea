/**
 * Texts told apart by numbers, none of them kept: a text is made anew to be compared. A map of
 * 100,000 strings takes 11 MB of V8's heap, which does not shrink again; this takes 2 MB beside it.
 */
import { hashPath } from "../random.ts";

/** The text at a place, the same each time; undefined where there is none. */
export type TextAt = (place: number) => string | undefined;

export interface Numbering {
  /** The number of the text at each place, from 0 in the order of first places; -1 of none. */
  readonly numbers: Int32Array;
  /** The first place of each number. */
  readonly firsts: Uint32Array;
  /** -1 of a text that is nowhere in the list. */
  numberOf(text: string): number;
}

/** Equal texts under equal numbers. */
export function numbered(length: number, textAt: TextAt): Numbering {
  // Open addressing, at most half full; a slot holds a number and 1, or 0.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * length + 1)));
  const hashes = new Uint32Array(length);
  const firsts = new Uint32Array(length);
  const numbers = new Int32Array(length);
  const slotOf = (text: string, hash: number): number => {
    for (let slot = hash % slots.length; ; slot = (slot + 1) % slots.length) {
      const number = slots[slot]! - 1;
      if (number < 0) return slot;
      if (hashes[number] === hash && textAt(firsts[number]!) === text) return slot;
    }
  };
  let count = 0;
  for (let place = 0; place < length; place++) {
    const text = textAt(place);
    if (text === undefined) {
      numbers[place] = -1;
      continue;
    }
    const hash = hashPath(text);
    const slot = slotOf(text, hash);
    if (slots[slot] === 0) {
      hashes[count] = hash;
      firsts[count] = place;
      slots[slot] = ++count;
    }
    numbers[place] = slots[slot]! - 1;
  }
  return {
    numbers,
    firsts: firsts.slice(0, count),
    numberOf: (text) => slots[slotOf(text, hashPath(text))]! - 1,
  };
}

/** The last place of each numbered text in another list; -1 where it is not there. */
export function lastPlaces(
  { firsts, numberOf }: Numbering,
  length: number,
  textAt: TextAt,
): Int32Array {
  const places = new Int32Array(firsts.length).fill(-1);
  for (let place = 0; place < length; place++) {
    const text = textAt(place);
    const number = text === undefined ? -1 : numberOf(text);
    if (number >= 0) places[number] = place;
  }
  return places;
}

/** The numbers below `length`; `Uint32Array.from(array.keys())` would make an array of them first. */
export function numbersBelow(length: number): Uint32Array {
  const numbers = new Uint32Array(length);
  for (let number = 0; number < length; number++) numbers[number] = number;
  return numbers;
}
