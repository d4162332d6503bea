/** Pictures that a classifier's network sees of films, and what it says of changed ones, in Node. */
import { removeDeadNodes } from "../autodiff/index.ts";
import { openSession } from "../onnx/index.node.ts";
import { float32, type Model } from "../onnx/index.ts";
import { batchOf, type Film } from "./film-batches.ts";
import { PICTURE, PROBABILITIES, partsOf } from "./network-of.ts";

export interface PictureReader {
  /** Side of the pictures. */
  readonly size: number;
  /** What the network sees of a film: resized, its greys put right and normalised, row by row. */
  pictureOf(film: Film): Promise<Float32Array>;
  /** Of pictures one after another, in the order of the labels. */
  probabilities(pictures: Float32Array): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** Throws `not-a-classifier`. */
export async function openPictureReader(
  model: Model,
  options: { readonly threads?: number | undefined } = {},
): Promise<PictureReader> {
  const { whole, network, size } = partsOf(model);
  const only = (graph: typeof whole, output: string) =>
    removeDeadNodes({ ...graph, outputs: graph.outputs.filter(({ name }) => name === output) });
  const films = await openSession(only(whole, PICTURE), options);
  const pictures = await openSession(only(network, PROBABILITIES), options);
  return {
    size,
    async pictureOf(film) {
      const output = await films.run({ images: batchOf([film]) }, [PICTURE]);
      // Its mirror follows where the two are averaged: the network makes it itself.
      return (output[PICTURE]!.data as Float32Array).slice(0, size * size);
    },
    async probabilities(values) {
      const count = values.length / (size * size);
      const picture = float32([count, 1, size, size], values);
      const output = await pictures.run({ [PICTURE]: picture }, [PROBABILITIES]);
      const said = output[PROBABILITIES]!.data as Float32Array;
      const width = said.length / count;
      return Array.from({ length: count }, (_, at) => said.slice(at * width, (at + 1) * width));
    },
    async close() {
      await films.close();
      await pictures.close();
    },
  };
}
