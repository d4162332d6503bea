/** Films of equal size as batches. */
import type { GreyImage } from "../images/index.ts";
import type { Tensor } from "../onnx/index.ts";

/** What is read of a film. */
export type Film = Pick<GreyImage, "width" | "height" | "pixels">;

/** Films decoded ahead of the network, and the largest batch of films of equal size. */
export const CHUNK = 16;

/** The end of the stretch of films of one size that starts at `start`. */
export function equalSizesFrom(films: readonly Film[], start: number): number {
  const { width, height } = films[start]!;
  let end = start + 1;
  while (
    end < films.length &&
    end - start < CHUNK &&
    films[end]!.width === width &&
    films[end]!.height === height
  )
    end++;
  return end;
}

/** Films of one size as `uint8 [N, H, W]`. */
export function batchOf(films: readonly Film[]): Tensor {
  const { width, height, pixels } = films[0]!;
  const dims = [films.length, height, width];
  if (films.length === 1) return { type: "uint8", dims, data: pixels };
  const data = new Uint8Array(films.length * width * height);
  films.forEach((film, index) => {
    data.set(film.pixels, index * width * height);
  });
  return { type: "uint8", dims, data };
}
