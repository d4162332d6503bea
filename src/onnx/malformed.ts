/** How reading is set up, and how it complains: always with the place in the file. */
import { HilumError } from "../errors.ts";

/** The bytes at `offset` of a file that lies beside the model. */
export type ExternalData = (location: string, offset: number, length: number) => Uint8Array;

export interface ReadOptions {
  /** What the file is called in messages. */
  readonly name?: string | undefined;
  /** Fetches external data; without it a file that has some is refused. */
  readonly external?: ExternalData | undefined;
}

/** Where in a file something is, and how to complain about it. */
export interface Place {
  readonly path: string;
  readonly options: ReadOptions;
}

/** Throws `model-malformed`. */
export function malformed(place: Place, problem: string, cause?: unknown): never {
  const file = place.options.name ?? "The model";
  throw new HilumError(
    "model-malformed",
    `${file}: ${place.path}: ${problem}. Export or download the file again.`,
    { file: place.options.name, place: place.path, problem },
    cause,
  );
}
