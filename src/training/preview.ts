/** A sheet of augmented samples, so that one sees what the network will see. */
import {
  AUGMENTATION_COLUMNS,
  type Augmentation,
  augmented,
  contactSheet,
  drawAugmentation,
  type ImageCache,
} from "../datasets/index.ts";
import { openSession } from "../onnx/index.node.ts";
import { graphBuilder, operators as op } from "../onnx/index.ts";
import { isAugmented } from "./compose.ts";
import type { Settings } from "./options.ts";
import type { RunFolder } from "./run-folder.ts";

const SAMPLES = 6;
const DRAWS = 5;

/** Writes `preview.png`: a row per sample, the film itself first, then five draws of its augmentation. */
export async function writePreview(
  folder: RunFolder,
  cache: ImageCache,
  ranges: Augmentation,
  { seed }: Pick<Settings, "seed">,
): Promise<void> {
  const { size } = cache;
  const rows = Math.min(SAMPLES, cache.count);
  const stride = Math.max(1, Math.floor(cache.count / rows));
  const indices = Array.from(
    { length: rows * DRAWS },
    (_, place) => Math.floor(place / DRAWS) * stride,
  );
  const films = new Uint8Array(indices.length * size * size);
  cache.readInto(indices, films);
  const drawn = isAugmented(ranges) ? await augment(films, indices, size, ranges, seed) : films;
  const cell = (pixels: Uint8Array, place: number) => ({
    width: size,
    height: size,
    pixels: pixels.subarray(place * size * size, (place + 1) * size * size),
  });
  const cells = indices.flatMap((_, place) =>
    place % DRAWS === 0 ? [cell(films, place), cell(drawn, place)] : [cell(drawn, place)],
  );
  folder.write("preview", await contactSheet(cells, { columns: DRAWS + 1, cellSize: 160 }));
}

async function augment(
  films: Uint8Array,
  indices: readonly number[],
  size: number,
  ranges: Augmentation,
  seed: number,
): Promise<Uint8Array> {
  const count = indices.length;
  const builder = graphBuilder();
  const pixels = builder.input("films", "uint8", [count, size, size]);
  const rows = builder.input("rows", "float32", [count, AUGMENTATION_COLUMNS]);
  const images = op.cast(op.unsqueeze(pixels, [1]), "float32");
  const drawn = op.clip(op.round(augmented({ images, rows, ranges })), 0, 255);
  builder.output(op.cast(drawn, "uint8"), "drawn");
  const values = new Float32Array(count * AUGMENTATION_COLUMNS);
  indices.forEach((index, place) => {
    const row = values.subarray(place * AUGMENTATION_COLUMNS, (place + 1) * AUGMENTATION_COLUMNS);
    drawAugmentation(ranges, [seed, place, 0, index], row);
  });
  const session = await openSession(builder.build());
  const output = await session.run({
    films: { type: "uint8", dims: [count, size, size], data: films },
    rows: { type: "float32", dims: [count, AUGMENTATION_COLUMNS], data: values },
  });
  await session.close();
  return output.drawn!.data as Uint8Array;
}
