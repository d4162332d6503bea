/** Training that begins with a model of Hilum's own: what its network saw, it sees still. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { rejection } from "../../../test/support/rejection.ts";
import {
  loadMetadata,
  modelPath,
  openFeatureReader,
  SHIPPED_MODEL,
} from "../../classifier/index.node.ts";
import { AUGMENTATIONS, drawPhantom } from "../../datasets/index.ts";
import { openSession, readModelFile } from "../../onnx/index.node.ts";
import { readModel, type Tensor } from "../../onnx/index.ts";
import type { Settings, TrainOptions } from "../options.ts";
import { runFolder } from "../run-folder.ts";
import { settingsFor, train } from "../train.ts";
import { chosenModel } from "./choose.ts";
import { featureGraph } from "./features.ts";
import { transferNetwork } from "./network.ts";

const { films, cacheFolder, place } = await phantomFolder({ count: 26, size: 32, seed: 4 });

/** Features of four films of the settings' size, as the head of a run that begins with the file sees them. */
async function featuresFrom(file: string, images: Tensor, options: TrainOptions = {}) {
  const chosen = await chosenModel({ ...options, model: file }, {});
  const settings = settingsFor({ ...options, model: file }, chosen, {
    metric: "auroc",
    threads: 1,
  });
  const { features } = transferNetwork((await chosen.backbone(settings))!, settings);
  const source = { features, settings, augmentation: AUGMENTATIONS.none };
  const session = await openSession(featureGraph(settings.size, source, false));
  const found = (await session.run({ images })).features!;
  await session.close();
  return { settings, found };
}

const mirrored = ({ dims, data, ...rest }: Tensor): Tensor => {
  const width = dims.at(-1)!;
  const rows = Array.from({ length: data.length / width }, (_, row) =>
    Array.from(data.slice(row * width, (row + 1) * width) as Uint8Array).reverse(),
  );
  return { ...rest, dims, data: Uint8Array.from(rows.flat()) };
};

describe("training that begins with a model of Hilum's own", () => {
  const first: TrainOptions = {
    model: "cnn",
    width: 0.25,
    size: 24,
    epochs: 1,
    normalization: "range",
    fit: "pad",
    threads: 1,
  };

  it("reads films as that did, sees what it saw, and trains a head and then its blocks", async () => {
    const out = place("first");
    await train(films, first, { out, cacheFolder });
    const file = runFolder(out).file("model");
    const data = Uint8Array.from({ length: 4 * 24 * 24 }, (_, i) => (i * i * 7) % 251);
    const images = { type: "uint8", dims: [4, 24, 24], data } as const;
    const { settings, found } = await featuresFrom(file, images);
    expect(settings).toMatchObject({ size: 24, normalization: "range", fit: "pad" });
    const reader = await openFeatureReader(readModel(readFileSync(file)));
    const expected = (await reader.of(images)).flatMap((vector) => [...vector]);
    await reader.close();
    expectClose(found, { dims: found.dims, data: expected }, { ofLargest: 1e-5 }, "features");

    const second = place("second");
    const tuned = { model: file, epochs: 1, headEpochs: 3, unfreeze: "all", threads: 1 } as const;
    const result = await train(films, tuned, { out: second, cacheFolder });
    expect(result.epochs).toBe(1);
    expect(runFolder(second).config().settings).toMatchObject({ model: "onnx", fit: "pad" });
  }, 60_000);

  it("leaves gate, heat map, averaging and stored weights of the shipped model behind", async () => {
    const file = await modelPath(SHIPPED_MODEL);
    const pixels = [0, 1, 2, 3].flatMap((index) => {
      const { width, pixels } = drawPhantom({ size: 320, seed: 1, index, label: "NORMAL" });
      return Array.from({ length: 224 }, (_, row) => [
        ...pixels.subarray(row * width, row * width + 224),
      ]).flat();
    });
    const images: Tensor = { type: "uint8", dims: [4, 224, 224], data: Uint8Array.from(pixels) };
    const [plain, turned] = [
      await featuresFrom(file, images),
      await featuresFrom(file, mirrored(images)),
    ];
    const reader = await openFeatureReader(await readModelFile(file));
    const expected = (await reader.of(images)).flatMap((vector) => [...vector]);
    await reader.close();
    const data = Array.from(
      plain.found.data as Float32Array,
      (value, i) => (value + Number(turned.found.data[i])) / 2,
    );
    expectClose(
      { dims: plain.found.dims, data },
      { dims: plain.found.dims, data: expected },
      { ofLargest: 1e-5 },
      "features",
    );
    const { input } = await loadMetadata(file);
    expect(plain.settings).toMatchObject<Partial<Settings>>({
      size: input.size,
      normalization: input.normalization,
    });
  }, 60_000);

  it("lets nobody say how the file's pixels were prepared", async () => {
    const options = { model: SHIPPED_MODEL, preprocessing: "tf" } as const;
    const error = await rejection(chosenModel(options, {}));
    expect(error.message).toContain("says itself how it reads films");
  });
});
