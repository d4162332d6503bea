/** Models in onnxruntime-web's WebAssembly build, run by Node itself. */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { GreyImage } from "../../src/images/index.ts";

// Threads would be workers of a browser.
env.wasm.numThreads = 1;
env.logLevel = "error";

export interface WebModel {
  /** `probabilities` of films of one size, row by row. */
  probabilities(
    films: readonly Pick<GreyImage, "width" | "height" | "pixels">[],
  ): Promise<number[]>;
  close(): Promise<void>;
}

export async function openWebModel(bytes: Uint8Array): Promise<WebModel> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return {
    async probabilities(films) {
      const { width, height } = films[0]!;
      const pixels = new Uint8Array(films.length * width * height);
      films.forEach((film, index) => {
        pixels.set(film.pixels, index * width * height);
      });
      const images = new Tensor("uint8", pixels, [films.length, height, width]);
      const { probabilities } = await session.run({ images });
      return Array.from(probabilities!.data as Float32Array);
    },
    close: () => session.release(),
  };
}
