/**
 * A table from digests to whole numbers that keeps no digest: 8 bytes a place, in typed arrays, where
 * a `Map` of strings takes some 200 on the heap. What lies under a number is the caller's to know,
 * who is asked wherever 32 bits are equal.
 */

export interface DigestTable {
  /** The number under this hash that `isMeant` says yes to. */
  find(hash: number, isMeant: (value: number) => boolean): number | undefined;
  /** Puts in a number of 0 to `LARGEST_NUMBER`, in the place of the one that `isMeant` says yes to. */
  put(hash: number, value: number, isMeant?: (value: number) => boolean): void;
}

/** 0 stands for an empty place. */
export const LARGEST_NUMBER = 2 ** 32 - 2;

/** Of the places. At most 3 are looked at for what is there, on average, and 13 for what is not. */
const FULL = 0.8;
/** Half as much again: between 10 and 15 bytes a number, and 25 in the moment of growing. */
const GROWTH = 1.5;

/** An empty table with room for so many numbers; it grows. Hashes are the first 32 bits of digests. */
export function digestTable(room = 0): DigestTable {
  let hashes = new Uint32Array(placesFor(room));
  let values = new Uint32Array(hashes.length);
  let count = 0;

  /** The place of the number that is meant, or the empty one where it would be. */
  const placeOf = (hash: number, isMeant?: (value: number) => boolean): number => {
    // Hashes of digests are even: their size alone says where to begin, in any number of places.
    let place = Math.floor((hash / 2 ** 32) * values.length);
    while (values[place] !== 0) {
      if (isMeant && hashes[place] === hash && isMeant(values[place]! - 1)) break;
      place = place + 1 === values.length ? 0 : place + 1;
    }
    return place;
  };

  const write = (place: number, hash: number, value: number) => {
    hashes[place] = hash;
    values[place] = value + 1;
  };

  const grow = () => {
    const [oldHashes, oldValues] = [hashes, values];
    hashes = new Uint32Array(placesFor(count * GROWTH));
    values = new Uint32Array(hashes.length);
    for (let old = 0; old < oldValues.length; old++)
      if (oldValues[old] !== 0)
        write(placeOf(oldHashes[old]!), oldHashes[old]!, oldValues[old]! - 1);
  };

  return {
    find(hash, isMeant) {
      const value = values[placeOf(hash, isMeant)]!;
      return value === 0 ? undefined : value - 1;
    },
    put(hash, value, isMeant) {
      let place = placeOf(hash, isMeant);
      if (values[place] === 0) {
        if (count + 1 > FULL * values.length) {
          grow();
          place = placeOf(hash);
        }
        count++;
      }
      write(place, hash, value);
    },
  };
}

function placesFor(numbers: number): number {
  return Math.ceil(Math.max(8, numbers) / FULL) + 1;
}
