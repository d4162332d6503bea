/** Films that look the same: pairs of hashes that differ in few bits, found without comparing all. */

export interface NearPair {
  readonly first: number;
  readonly second: number;
  /** Differing bits of 256. */
  readonly distance: number;
}

/** Fewer than the 16 words of a hash, so that two such hashes share a word: only those meet. */
export const NEAR_BITS = 10;
/** A word that so many films share tells nothing; their other words still bring copies together. */
const LARGEST_BUCKET = 400;

/** Pairs of films (by index) whose hashes differ in at most `NEAR_BITS` bits. */
export function nearPairs(hashes: readonly (Uint16Array | null)[]): NearPair[] {
  const pairs = new Map<number, NearPair>();
  for (let word = 0; word < 16; word++) {
    const buckets = new Map<number, number[]>();
    hashes.forEach((hash, index) => {
      if (!hash) return;
      const bucket = buckets.get(hash[word]!);
      if (bucket) bucket.push(index);
      else buckets.set(hash[word]!, [index]);
    });
    for (const bucket of buckets.values())
      if (bucket.length <= LARGEST_BUCKET) collectPairs(bucket, hashes, pairs);
  }
  return [...pairs.values()].sort((a, b) => a.first - b.first || a.second - b.second);
}

function collectPairs(
  bucket: readonly number[],
  hashes: readonly (Uint16Array | null)[],
  pairs: Map<number, NearPair>,
): void {
  for (let i = 0; i < bucket.length; i++)
    for (let j = i + 1; j < bucket.length; j++) {
      const [first, second] = [bucket[i]!, bucket[j]!];
      const key = first * hashes.length + second;
      if (pairs.has(key)) continue;
      const distance = bitDistance(hashes[first]!, hashes[second]!);
      if (distance <= NEAR_BITS) pairs.set(key, { first, second, distance });
    }
}

function bitDistance(a: Uint16Array, b: Uint16Array): number {
  let distance = 0;
  for (let word = 0; word < a.length && distance <= NEAR_BITS; word++)
    for (let bits = a[word]! ^ b[word]!; bits !== 0; bits &= bits - 1) distance++;
  return distance;
}
