import { afterAll, describe, expect, it } from "vitest";
import { phantomFolder } from "../../test/support/phantom-folder.ts";
import { AUGMENTATIONS, buildImageCache, openDataset } from "../datasets/index.ts";
import { type BatchSource, openBatches } from "./batches.ts";
import { labelsForLoss } from "./labels.ts";

const SIZE = 16;
const { films, cacheFolder } = await phantomFolder({ count: 8, size: 24 });
const { samples, task } = await openDataset(films);
const cache = await buildImageCache(samples, { size: SIZE, dir: cacheFolder });
afterAll(() => cache.close());

const source: BatchSource = {
  cache,
  labels: labelsForLoss(samples, task, { isBalanced: true }),
  batch: 3,
  augmentation: AUGMENTATIONS.strong,
  seed: 5,
};
const CHOSEN = Uint32Array.of(6, 1, 6);

/** A copy, as the next fill of the slot overwrites what it returned. */
function filled([slot, epoch, step]: readonly number[], own: Partial<BatchSource> = {}) {
  const feeds = openBatches({ ...source, ...own }, 2).fill(slot!, CHOSEN, epoch!, step!);
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}

describe("a batch", () => {
  it("holds the films, targets and label weights of its samples in their order", () => {
    const { images, targets, weights } = filled([0, 0, 0]);
    const pixels = new Uint8Array(3 * SIZE * SIZE);
    cache.readInto(CHOSEN, pixels);
    expect(images).toEqual([...pixels]);
    expect(targets).toEqual([...CHOSEN].map((index) => source.labels.targets[index]));
    expect(weights).toEqual([...CHOSEN].map((index) => source.labels.weights[index]));
  });

  it("draws the same noise again at the same place", () => {
    expect(filled([1, 2, 3])).toEqual(filled([1, 2, 3]));
  });

  it.each([
    ["seed", [0, 0, 0], { seed: 6 }],
    ["epoch", [0, 1, 0], {}],
    ["step", [0, 0, 1], {}],
  ])("draws other noise in another %s", (_, place, own) => {
    const [here, there] = [filled([0, 0, 0]), filled(place, own)];
    expect(there.noiseSeed).not.toEqual(here.noiseSeed);
    expect(there.augmentation).not.toEqual(here.augmentation);
    expect(there.images).toEqual(here.images);
  });

  it("has a noise seed of its own in each micro-batch of a step", () => {
    expect(filled([1, 0, 0]).noiseSeed).not.toEqual(filled([0, 0, 0]).noiseSeed);
  });

  it("has no augmentation where nothing is augmented", () => {
    expect(Object.keys(filled([0, 0, 0], { augmentation: AUGMENTATIONS.none }))).not.toContain(
      "augmentation",
    );
  });
});
