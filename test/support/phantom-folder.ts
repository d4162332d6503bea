/** Small folders of synthetic films for tests that train; removed when the test file is done. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type PhantomDatasetOptions, writePhantomDataset } from "../../src/datasets/index.ts";

export interface PhantomFolder {
  readonly films: string;
  readonly cacheFolder: string;
  /** A path in the same place that does not exist yet. */
  place(name: string): string;
}

/** Films in `films`, and room beside them for a cache and for runs. */
export async function phantomFolder(options: PhantomDatasetOptions): Promise<PhantomFolder> {
  const root = mkdtempSync(join(tmpdir(), "hilum-train-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const films = join(root, "films");
  await writePhantomDataset(films, options);
  let count = 0;
  return {
    films,
    cacheFolder: join(root, "cache"),
    place: (name) => join(root, `${name}-${count++}`),
  };
}
