/** Models in onnxruntime-web's WebAssembly build, run by Node itself. */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { GreyImage } from "../../src/images/index.ts";

// Threads would be workers of a browser.
env.wasm.numThreads = 1;
env.logLevel = "error";

type Film = Pick<GreyImage, "width" | "height" | "pixels">;

export interface WebModel {
  /** `probabilities` of films of one size, row by row. */
  probabilities(films: readonly Film[]): Promise<number[]>;
  /** Another output of them. */
  output(name: string, films: readonly Film[]): Promise<number[]>;
  close(): Promise<void>;
}

export async function openWebModel(bytes: Uint8Array): Promise<WebModel> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const output = async (name: string, films: readonly Film[]) => {
    const { width, height } = films[0]!;
    const pixels = new Uint8Array(films.length * width * height);
    films.forEach((film, index) => {
      pixels.set(film.pixels, index * width * height);
    });
    const images = new Tensor("uint8", pixels, [films.length, height, width]);
    const made = await session.run({ images }, [name]);
    return Array.from(made[name]!.data as Float32Array);
  };
  return {
    output,
    probabilities: (films) => output("probabilities", films),
    close: () => session.release(),
  };
}
