import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { kMeans } from "./k-means.ts";
import { silhouettes } from "./silhouette.ts";

interface Case {
  readonly title: string;
  readonly k: number;
  readonly rows: readonly number[][];
  readonly clusters: readonly number[];
  readonly inertia: number;
  readonly silhouettes: readonly number[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("../../../test/reference/clusters/clusters.json", import.meta.url), "utf8"),
) as { cases: readonly Case[] };

const float = (rows: readonly (readonly number[])[]) => rows.map((row) => Float32Array.from(row));
/** Pairs of rows in one cluster, whatever it is called. */
const together = (clusters: ArrayLike<number>) =>
  Array.from(clusters).flatMap((a, i, all) => all.slice(0, i).map((b) => a === b));

describe("kMeans", () => {
  it.each(cases)(
    "finds what scikit-learn finds: $title",
    async ({ rows, k, clusters, inertia }) => {
      const found = await kMeans(float(rows), { k, seed: 1 });
      expect(found.inertia / inertia).toBeCloseTo(1, 4);
      expect(together(found.clusters)).toEqual(together(clusters));
    },
  );

  it("numbers clusters by size and repeats itself by the seed", async () => {
    const { rows, k } = cases[0]!;
    const found = await kMeans(float(rows), { k, seed: 5 });
    const sizes = Array.from({ length: k }, (_, own) =>
      found.clusters.reduce((count, cluster) => count + Number(cluster === own), 0),
    );
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(await kMeans(float(rows), { k, seed: 5 })).toEqual(found);
  });

  it("leaves no cluster empty, also of rows that are all alike", async () => {
    const alike = Array.from({ length: 6 }, () => [1, -1]);
    const found = await kMeans(float(alike), { k: 4, seed: 1 });
    expect(new Set(found.clusters).size).toBe(4);
  });

  it("is no worse for more beginnings", async () => {
    const random = randomStream(2, "rows");
    const rows = Array.from({ length: 80 }, () =>
      Float32Array.from({ length: 4 }, () => random.normal()),
    );
    const [one, ten] = await Promise.all(
      [1, 10].map((beginnings) => kMeans(rows, { k: 7, seed: 1, beginnings })),
    );
    expect(ten!.inertia).toBeLessThan(one!.inertia);
  });
});

describe("silhouettes", () => {
  it.each(cases)(
    "are scikit-learn's: $title",
    async ({ rows, clusters, silhouettes: expected }) => {
      const found = await silhouettes(float(rows), Uint32Array.from(clusters));
      found.forEach((value, row) => {
        expect(value).toBeCloseTo(expected[row]!, 4);
      });
    },
  );
});
