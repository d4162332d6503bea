/** What a run's network sees of its validation films, kept to hold other films against. */
import { openFeatureReader } from "../classifier/index.node.ts";
import type { ImageCache } from "../datasets/index.ts";
import { isHilumError } from "../errors.ts";
import { drawnFilms } from "../evaluation/index.ts";
import { float32, type Model, readSafetensors, writeSafetensors } from "../onnx/index.ts";
import type { RunFolder } from "./run-folder.ts";
import { READ_TOGETHER } from "./validate.ts";

const NAME = "features";

/** Of at most 400 films, drawn by a seed; nothing of a network without a dense head. */
export async function writeValidationFeatures(
  folder: RunFolder,
  model: Model,
  cache: ImageCache,
): Promise<void> {
  const reader = await openFeatureReader(model).catch((error: unknown) => {
    if (isHilumError(error) && error.code === "not-a-classifier") return undefined;
    throw error;
  });
  if (!reader) return;
  try {
    const places = drawnFilms(Array.from({ length: cache.count }, (_, place) => place));
    const side = cache.size;
    const features: Float32Array[] = [];
    for (let start = 0; start < places.length; start += READ_TOGETHER) {
      const indices = Uint32Array.from(places.slice(start, start + READ_TOGETHER));
      const data = new Uint8Array(indices.length * side * side);
      cache.readInto(indices, data);
      features.push(
        ...(await reader.of({ type: "uint8", dims: [indices.length, side, side], data })),
      );
    }
    const width = features[0]!.length;
    const all = new Float32Array(features.length * width);
    features.forEach((vector, film) => {
      all.set(vector, film * width);
    });
    const tensors = new Map([[NAME, float32([features.length, width], all)]]);
    folder.write("features", writeSafetensors({ tensors, metadata: {} }));
  } finally {
    await reader.close();
  }
}

/** Undefined where the run kept none. Throws `weights-malformed`. */
export function readValidationFeatures(folder: RunFolder): Float32Array[] | undefined {
  const bytes = folder.read("features");
  const tensor = bytes && readSafetensors(bytes, folder.file("features")).tensors.get(NAME);
  if (!tensor) return undefined;
  const [count, width] = tensor.dims as readonly [number, number];
  const data = tensor.data as Float32Array;
  return Array.from({ length: count }, (_, film) => data.slice(film * width, (film + 1) * width));
}
