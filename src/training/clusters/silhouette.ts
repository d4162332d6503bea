/** How well clusters hold together. */
import { openDistances } from "./distances.ts";

/** Rows at a time: all distances at once would take the square of their number. */
const BLOCK = 256;

/**
 * The silhouette of each row about 0, from -1 to 1: how much nearer, in the mean, it lies to the others
 * of its cluster than to those of the next one; 0 for a row alone. Source: Rousseeuw 1987.
 */
export async function silhouettes(
  rows: readonly Float32Array[],
  clusters: Uint32Array,
): Promise<Float64Array> {
  const k = clusters.reduce((most, cluster) => Math.max(most, cluster + 1), 0);
  const sizes = new Uint32Array(k);
  for (const cluster of clusters) sizes[cluster]!++;
  const found = new Float64Array(rows.length);
  const distances = await openDistances(rows);
  try {
    for (let start = 0; start < rows.length; start += BLOCK) {
      const block = rows.slice(start, start + BLOCK);
      const squared = await distances.to(block);
      const sums = block.map(() => new Float64Array(k));
      for (let row = 0; row < rows.length; row++)
        for (let place = 0; place < block.length; place++)
          if (row !== start + place)
            sums[place]![clusters[row]!]! += Math.sqrt(squared[row * block.length + place]!);
      sums.forEach((toClusters, place) => {
        const own = clusters[start + place]!;
        found[start + place] = silhouetteOf(toClusters, sizes, own);
      });
    }
    return found;
  } finally {
    await distances.close();
  }
}

function silhouetteOf(sums: Float64Array, sizes: Uint32Array, own: number): number {
  if (sizes[own] === 1) return 0;
  const within = sums[own]! / (sizes[own]! - 1);
  const means = Array.from(sums, (sum, cluster) => sum / sizes[cluster]!);
  const next = Math.min(...means.filter((_, cluster) => cluster !== own && sizes[cluster]! > 0));
  return Number.isFinite(next) ? (next - within) / Math.max(next, within) : 0;
}
