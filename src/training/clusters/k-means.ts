/** k-means: Lloyd's iterations from k-means++ beginnings, the best of several. */
import { assert } from "../../errors.ts";
import { type RandomStream, randomStream } from "../../random.ts";
import { openDistances, type RowDistances } from "./distances.ts";

export interface KMeansOptions {
  readonly k: number;
  readonly seed: number;
  /** Beginnings, of which the one with the least inertia counts. */
  readonly beginnings?: number | undefined;
}

export interface KMeans {
  /** The cluster of each row, from 0; the largest cluster is 0. */
  readonly clusters: Uint32Array;
  /** Sum of squared distances from the rows to the means of their clusters. */
  readonly inertia: number;
}

const MOST_ITERATIONS = 300;

/**
 * Rows about 0 in k clusters, none of them empty. Seeded; rows in another order may give other
 * clusters. Source: Lloyd 1982; Arthur and Vassilvitskii 2007, "k-means++".
 */
export async function kMeans(
  rows: readonly Float32Array[],
  { k, seed, beginnings = 10 }: KMeansOptions,
): Promise<KMeans> {
  assert(k >= 1 && k <= rows.length, "there are rows for every cluster");
  const distances = await openDistances(rows);
  try {
    let best: KMeans | undefined;
    for (let beginning = 0; beginning < beginnings; beginning++) {
      const random = randomStream(seed, "k-means", beginning);
      const found = await descended(rows, distances, await spread(rows, distances, { k, random }));
      if (!best || found.inertia < best.inertia) best = found;
    }
    return bySize(best!, k);
  } finally {
    await distances.close();
  }
}

/** Rows drawn one after the other, each with a chance by its squared distance to those before. */
async function spread(
  rows: readonly Float32Array[],
  distances: RowDistances,
  { k, random }: { readonly k: number; readonly random: RandomStream },
): Promise<Float32Array[]> {
  const places = [random.integer(rows.length)];
  const nearest = new Float64Array(rows.length).fill(Infinity);
  while (places.length < k) {
    const last = await distances.to([rows[places.at(-1)!]!]);
    last.forEach((distance, row) => {
      nearest[row] = Math.min(nearest[row]!, distance);
    });
    // By rounding a row may lie a little off itself.
    for (const place of places) nearest[place] = 0;
    places.push(drawn(nearest, random));
  }
  return places.map((place) => rows[place]!);
}

function drawn(weights: Float64Array, random: RandomStream): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return random.integer(weights.length);
  let left = random.uniform() * total;
  const place = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return place < 0 ? weights.length - 1 : place;
}

async function descended(
  rows: readonly Float32Array[],
  distances: RowDistances,
  beginning: readonly Float32Array[],
): Promise<KMeans> {
  let means = beginning;
  let clusters: Uint32Array | undefined;
  for (let iteration = 0; ; iteration++) {
    const { nearest, inertia } = assigned(await distances.to(means), means.length);
    const isSettled = clusters?.every((cluster, row) => cluster === nearest[row]) ?? false;
    if (isSettled || iteration === MOST_ITERATIONS) return { clusters: nearest, inertia };
    means = meansOf(rows, nearest, means.length);
    clusters = nearest;
  }
}

/** Each row's nearest mean; a mean that is left alone takes the row farthest from its own. */
function assigned(distances: Float32Array, k: number): { nearest: Uint32Array; inertia: number } {
  const count = distances.length / k;
  const nearest = new Uint32Array(count);
  const least = new Float64Array(count).fill(Infinity);
  const sizes = new Uint32Array(k);
  for (let row = 0; row < count; row++) {
    for (let cluster = 0; cluster < k; cluster++) {
      const distance = distances[row * k + cluster]!;
      if (distance >= least[row]!) continue;
      least[row] = distance;
      nearest[row] = cluster;
    }
    sizes[nearest[row]!]!++;
  }
  for (const [cluster, size] of sizes.entries()) {
    if (size > 0) continue;
    let farthest = -1;
    for (let row = 0; row < count; row++)
      if (sizes[nearest[row]!]! > 1 && (farthest < 0 || least[row]! > least[farthest]!))
        farthest = row;
    sizes[nearest[farthest]!]!--;
    sizes[cluster] = 1;
    nearest[farthest] = cluster;
    least[farthest] = 0;
  }
  return { nearest, inertia: least.reduce((sum, distance) => sum + distance, 0) };
}

function meansOf(
  rows: readonly Float32Array[],
  clusters: Uint32Array,
  k: number,
): readonly Float32Array[] {
  const sizes = new Uint32Array(k);
  const sums = Array.from({ length: k }, () => new Float64Array(rows[0]!.length));
  rows.forEach((row, index) => {
    const cluster = clusters[index]!;
    const sum = sums[cluster]!;
    sizes[cluster]!++;
    for (let j = 0; j < row.length; j++) sum[j]! += row[j]!;
  });
  return sums.map((sum, cluster) => Float32Array.from(sum, (value) => value / sizes[cluster]!));
}

function bySize({ clusters, inertia }: KMeans, k: number): KMeans {
  const sizes = Array<number>(k).fill(0);
  for (const cluster of clusters) sizes[cluster]!++;
  const order = sizes.map((_, cluster) => cluster).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  return { clusters: clusters.map((cluster) => order.indexOf(cluster)), inertia };
}
