/**
 * From a file to a film of the cache. Several files are decoded at once on sharp's own threads while
 * one ONNX Runtime session, on all cores, resizes what is ready: the same graph nodes that begin
 * model.onnx. Two cores make 54-63 films a second out of 72 full-size ones (445x140 to 2396x1990, to
 * 224x224; decoding takes three times as long as resizing), and 290-330 out of 5,216 of 224x224.
 */
import { hash } from "node:crypto";
import { HilumError } from "../errors.ts";
import {
  decodeImage,
  type ReadOptions,
  type ResizeSetting,
  readImageBytes,
  resizeImages,
} from "../images/index.ts";
import { openWritingSession, type WritingSession } from "../onnx/index.node.ts";
import { graphBuilder, type Tensor } from "../onnx/index.ts";

export interface FilmReader {
  /** Writes the film of a file that has this digest to `out`. Throws what `readImage` does. */
  read(
    path: string,
    file: { readonly name: string; readonly digest: string },
    out: Uint8Array,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Twice libuv's own four threads, so that a decoder always finds its next file read. */
export const FILMS_IN_FLIGHT = 8;

/** Opens a session at the first film. */
export function openFilmReader({
  size,
  fit,
  window,
}: ResizeSetting & Pick<ReadOptions, "window">): FilmReader {
  let session: Promise<WritingSession> | undefined;
  // Outputs that no film is being written to: as many as were ever needed at once.
  const idle: Tensor[] = [];
  return {
    async read(path, { name, digest }, out) {
      const bytes = await readImageBytes(path, { name });
      if (hash("sha256", bytes) !== digest)
        throw new HilumError(
          "image-unreadable",
          `${name} changed while it was read. Run again when it is written completely.`,
          { file: name },
        );
      const { width, height, pixels } = await decodeImage(bytes, { name, window });
      session ??= openResizer({ size, fit });
      const resizer = await session;
      const film = idle.pop() ?? {
        type: "float32",
        dims: [1, 1, size, size],
        data: new Float32Array(size * size),
      };
      await resizer.write(
        { images: { type: "uint8", dims: [1, height, width], data: pixels } },
        { films: film },
      );
      out.set(film.data as Float32Array);
      idle.push(film);
    },
    async close() {
      await (await session)?.close();
    },
  };
}

function openResizer(setting: ResizeSetting): Promise<WritingSession> {
  const builder = graphBuilder();
  const images = builder.input("images", "uint8", ["N", "H", "W"]);
  builder.output(resizeImages(images, setting), "films");
  return openWritingSession(builder.build("resize"));
}

/**
 * Results in the items' order, with at most `limit` of them under way. An error stops the rest; once
 * nothing is under way any more, that of the earliest item is thrown. Items are begun in order, so it
 * is the same one however long each of them takes.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const errors = new Map<number, unknown>();
  let next = 0;
  const worker = async () => {
    while (next < items.length && errors.size === 0) {
      const place = next++;
      try {
        results[place] = await work(items[place]!);
      } catch (error) {
        errors.set(place, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.size > 0) throw errors.get(Math.min(...errors.keys()));
  return results;
}
