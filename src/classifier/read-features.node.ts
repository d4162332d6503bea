/** What a classifier's head sees of films: the vectors by which sets of films are compared. */
import { isHilumError } from "../errors.ts";
import { readImage } from "../images/index.ts";
import { openSession } from "../onnx/index.node.ts";
import type { Model, Tensor } from "../onnx/index.ts";
import { FEATURES, withFeatures } from "./features.ts";
import { readMetadata } from "./metadata.ts";

export interface FeatureReader {
  /** `images` uint8 `[N, H, W]` to N vectors. */
  of(images: Tensor): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** Throws `not-a-classifier` for a network that ends with no dense head. */
export async function openFeatureReader(
  model: Model,
  options: { readonly threads?: number | undefined } = {},
): Promise<FeatureReader> {
  const session = await openSession(withFeatures(model), options);
  return {
    async of(images) {
      const output = await session.run({ images }, [FEATURES]);
      const values = output[FEATURES]!.data as Float32Array;
      const count = images.dims[0]!;
      const width = values.length / count;
      return Array.from({ length: count }, (_, film) =>
        values.slice(film * width, (film + 1) * width),
      );
    },
    close: () => session.close(),
  };
}

/**
 * The features of films in files; those that cannot be read are passed over. Throws
 * `not-a-classifier` as above.
 */
export async function readFeatures(
  model: Model,
  paths: readonly string[],
  options: { readonly threads?: number | undefined } = {},
): Promise<Float32Array[]> {
  const { window } = readMetadata(model.metadata, "the model").input;
  const reader = await openFeatureReader(model, options);
  try {
    const features: Float32Array[] = [];
    for (const path of paths) {
      const film = await readImage(path, window ? { window } : {}).catch((error: unknown) => {
        if (isHilumError(error)) return undefined;
        throw error;
      });
      if (!film) continue;
      const { width, height, pixels } = film;
      features.push(
        ...(await reader.of({ type: "uint8", dims: [1, height, width], data: pixels })),
      );
    }
    return features;
  } finally {
    await reader.close();
  }
}
