/** Predictions of the network as it stands, on cached films. */
import type { ImageCache } from "../datasets/index.ts";
import type { Prediction } from "../evaluation/index.ts";
import type { Session } from "../onnx/index.node.ts";
import type { Tensor } from "../onnx/index.ts";

/**
 * Cached films that a whole network reads at once. Few: a film takes as long in a batch of 4 or 8 as
 * in one of 32 (EfficientNet-Lite0 at 224 pixels 16 to 19 ms of one thread in each, the small CNN 3.2
 * to 3.6), but in one of 32 Xception at 299 pixels took 7.2 GiB where its training takes 1.5.
 */
export const READ_TOGETHER = 8;

/**
 * One prediction per cached film, in order, from the validation graph fed with `weights`; undefined
 * where the signal aborts on the way.
 */
export async function predictCached(
  session: Session,
  cache: ImageCache,
  weights: Readonly<Record<string, Tensor>>,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Prediction[] | undefined> {
  const predictions: Prediction[] = [];
  const pixels = cache.size * cache.size;
  const memory = new Uint8Array(READ_TOGETHER * pixels);
  for (let start = 0; start < cache.count; start += READ_TOGETHER) {
    if (signal?.aborted) return undefined;
    const count = Math.min(READ_TOGETHER, cache.count - start);
    const indices = Uint32Array.from({ length: count }, (_, place) => start + place);
    cache.readInto(indices, memory);
    const images: Tensor = {
      type: "uint8",
      dims: [count, cache.size, cache.size],
      data: memory.subarray(0, count * pixels),
    };
    const output = await session.run({ images, ...weights });
    const values = output.probabilities!.data as Float32Array;
    const classes = values.length / count;
    for (let place = 0; place < count; place++)
      predictions.push({
        target: cache.samples.at(start + place)!.target,
        probabilities: numbersOf(values.subarray(place * classes, (place + 1) * classes)),
      });
  }
  return predictions;
}

/** An array of a few numbers takes a third of what a typed array does, and a run keeps one a film. */
function numbersOf(values: Float32Array): number[] {
  const numbers = new Array<number>(values.length);
  for (let index = 0; index < values.length; index++) numbers[index] = values[index]!;
  return numbers;
}
