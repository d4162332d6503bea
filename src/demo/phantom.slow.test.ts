/**
 * What the phantom is for: films on which a network has to learn what an opacity looks like. Trained
 * on the demo's own set, so that the demo keeps what it promises.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { auditDataset, type Dataset, openDataset, writePhantomDataset } from "../datasets/index.ts";
import { randomStream } from "../random.ts";
import { type EpochRecord, type TrainOptions, train } from "../training/index.ts";
import { filmsOf } from "./films.ts";
import { DEMO_DEFAULTS } from "./settings.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-phantom-"));
afterAll(() => rmSync(root, { recursive: true }));
const films = join(root, "films");
await writePhantomDataset(films, filmsOf(DEMO_DEFAULTS));
const dataset = await openDataset(films);

/** Milliseconds: cores may be shared. */
const LONG = 600_000;
let runs = 0;

/** The epochs of a run on those films. */
async function epochsOf(data: Dataset, options: TrainOptions): Promise<EpochRecord[]> {
  const epochs: EpochRecord[] = [];
  await train(
    data,
    { seed: 1, ...options },
    {
      out: join(root, `run-${runs++}`),
      cacheFolder: join(root, "cache"),
      onEvent: (event) => {
        if (event.kind === "epoch") epochs.push(event.record);
      },
    },
  );
  return epochs;
}

const bestOf = (epochs: readonly EpochRecord[]) =>
  Math.max(...epochs.map(({ metrics }) => metrics.auroc!));

describe("the phantom", { timeout: LONG }, () => {
  it("lets the cnn pass a validation AUROC of 0.95", async () => {
    const { size, batch, lr, warmup } = DEMO_DEFAULTS;
    // Without augmentation, as the dense network: so it needs a third of the demo's epochs.
    const settings = { model: "cnn", size, batch, lr, warmup, epochs: 5, augmentation: "none" };
    const epochs = await epochsOf(dataset, settings as TrainOptions);
    // Measured 0.98.
    expect(bestOf(epochs)).toBeGreaterThan(0.95);
  });

  it("keeps the dense network, which sees grey levels but no neighbourhoods, below 0.90", async () => {
    const epochs = await epochsOf(dataset, { model: "dense" });
    // Measured 0.80; it learns what it was shown by heart, so that more epochs would not help.
    expect(bestOf(epochs)).toBeLessThan(0.9);
    expect(epochs.at(-1)!.loss).toBeLessThan(0.5);
  });

  it("gives 0.5 where the labels are shuffled", async () => {
    const shuffled = withShuffledLabels(dataset);
    const epochs = await epochsOf(shuffled, { model: "dense", valFraction: 0.5 });
    const { loss, metrics } = epochs.at(-1)!;
    // The training half is learnt by heart, and some 600 films leave chance 0.024 of deviation.
    expect(loss).toBeLessThan(0.5);
    expect(metrics.auroc).toBeGreaterThan(0.4);
    expect(metrics.auroc).toBeLessThan(0.6);
  });

  it("tells nothing by size, brightness, contrast or borders", async () => {
    const { differences } = await auditDataset(dataset);
    const telling = differences.filter(({ between }) => between === "labels");
    for (const { measure, auroc } of telling)
      if (measure !== "file size") expect(Math.abs(auroc - 0.5), measure).toBeLessThan(0.1);
    expect(telling.map(({ measure }) => measure)).toEqual(
      expect.arrayContaining(["image area", "brightness", "contrast", "burnt-out area"]),
    );
  });
});

function withShuffledLabels(data: Dataset): Dataset {
  const random = randomStream(1, "shuffled labels");
  const targets = data.samples.map(({ target }) => target);
  for (let i = targets.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [targets[i], targets[j]] = [targets[j]!, targets[i]!];
  }
  const samples = data.samples.map((sample, i) => ({ ...sample, target: targets[i]! }));
  return { ...data, samples, split: (name) => samples.filter(({ split }) => split === name) };
}
