/** Image files. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { HilumError } from "../errors.ts";
import { type DecodeOptions, decodeImage, type GreyImage } from "./decode.ts";

export interface ReadOptions extends Omit<DecodeOptions, "name"> {
  /** How messages call the file; its path by default. */
  readonly name?: string | undefined;
  readonly maxBytes?: number | undefined;
}

/** Four times what a 16-bit colour film of the largest allowed detector would take. */
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

/** The bytes of a file. Throws `file-not-found`, `image-unreadable` or `image-too-large`. */
export async function readImageBytes(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const { name = path, maxBytes = DEFAULT_MAX_BYTES } = options;
  try {
    // Opening a pipe waits for somebody who writes to it, for ever if need be.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const info = await file.stat();
      const { size } = info;
      if (!info.isFile())
        throw new HilumError(
          "image-unreadable",
          `${name} is ${info.isDirectory() ? "a folder" : "no regular file"}. Name a film.`,
          { file: name },
        );
      if (size > maxBytes)
        throw new HilumError(
          "image-too-large",
          `${name} has ${size} bytes, more than the limit of ${maxBytes}. Is it an image?`,
          { file: name, size, maxBytes },
        );
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw readError(name, cause);
  }
}

function readError(name: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "code" in cause) || cause instanceof HilumError) return cause;
  if (cause.code === "ENOENT" || cause.code === "ENOTDIR")
    return new HilumError(
      "file-not-found",
      `${name} does not exist. Check the path.`,
      { file: name },
      cause,
    );
  return new HilumError(
    "image-unreadable",
    `${name} cannot be read (${cause.code}). Check that it is a file and its permissions.`,
    { file: name, reason: cause.code },
    cause,
  );
}

/** The film in a file as one grey channel; see `decodeImage` and `readImageBytes` for the errors. */
export async function readImage(path: string, options: ReadOptions = {}): Promise<GreyImage> {
  const bytes = await readImageBytes(path, options);
  return decodeImage(bytes, { ...options, name: options.name ?? path });
}
