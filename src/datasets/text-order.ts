/** Places in the order of the texts there. */
import { compareBytes } from "./dataset.ts";
import { numbersBelow } from "./numbering.ts";

/**
 * The places sorted by byte order of their texts, equal ones as they are; themselves where they are
 * sorted already. Only otherwise are the texts held, all at once.
 */
export function sortedByText(places: Uint32Array, textAt: (place: number) => string): Uint32Array {
  if (isSorted(places, textAt)) return places;
  const texts = Array.from({ length: places.length }, (_, index) => textAt(places[index]!));
  return numbersBelow(places.length)
    .sort((a, b) => compareBytes(texts[a]!, texts[b]!) || a - b)
    .map((index) => places[index]!);
}

function isSorted(places: Uint32Array, textAt: (place: number) => string): boolean {
  let before: string | undefined;
  return places.every((place) => {
    const text = textAt(place);
    const isNext = before === undefined || compareBytes(before, text) <= 0;
    before = text;
    return isNext;
  });
}
