/** Clusters as a manifest of the films: what `--fold-by` goes by. */
import { type Dataset, manifestLines } from "../../datasets/index.ts";
import type { FilmClusters } from "./cluster-films.ts";

/**
 * JSONL that `openDataset` reads back, a line for each film with its cluster in `column`; test films
 * keep theirs without one, films that cannot be read are left out.
 */
export function clusterManifest(
  { samples, task }: Dataset,
  { clusterOf }: Pick<FilmClusters, "clusterOf">,
  column = "cluster",
): string {
  const of = (isPart: (split: string | null) => boolean) =>
    samples.flatMap((sample) => {
      if (!isPart(sample.split)) return [];
      const cluster = clusterOf(sample);
      if (cluster === undefined) return sample.split === "test" ? [sample] : [];
      return [{ ...sample, columns: { ...sample.columns, [column]: cluster } }];
    });
  const parts = {
    train: of((split) => split === null || split === "train"),
    validation: of((split) => split === "val"),
    test: of((split) => split === "test"),
  };
  return [...manifestLines(parts, task)].join("");
}
