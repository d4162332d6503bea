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
import { openSession, type Session } from "../onnx/index.node.ts";
import { graphBuilder } from "../onnx/index.ts";
import type { PackedRecord } from "./cache-pack.ts";

export interface FilmReader {
  /** The film of a file that has this digest. Throws what `readImage` does. */
  read(
    path: string,
    file: { readonly name: string; readonly digest: string },
  ): Promise<PackedRecord>;
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
  let session: Promise<Session> | undefined;
  return {
    async read(path, { name, digest }) {
      const bytes = await readImageBytes(path, { name });
      if (hash("sha256", bytes) !== digest)
        throw new HilumError(
          "image-unreadable",
          `${name} changed while it was read. Run again when it is written completely.`,
          { file: name },
        );
      const { width, height, pixels } = await decodeImage(bytes, { name, window });
      session ??= openResizer({ size, fit });
      const { films } = await (await session).run({
        images: { type: "uint8", dims: [1, height, width], data: pixels },
      });
      return { digest, bytes: new Uint8Array(films!.data as Float32Array) };
    },
    async close() {
      await (await session)?.close();
    },
  };
}

function openResizer(setting: ResizeSetting): Promise<Session> {
  const builder = graphBuilder();
  const images = builder.input("images", "uint8", ["N", "H", "W"]);
  builder.output(resizeImages(images, setting), "films");
  return openSession(builder.build("resize"));
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
