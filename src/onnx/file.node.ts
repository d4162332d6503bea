/** ONNX files on disk. */
import { readFile, stat } from "node:fs/promises";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import { externalReader, externalWriter } from "./external-data.node.ts";
import type { Model } from "./graph.ts";
import type { ExternalData } from "./malformed.ts";
import { readModel } from "./read.ts";
import { LARGEST_FILE, weightBytes, writeModel } from "./write.ts";

const LARGEST_READ = 2 ** 31 - 1;

/** The model in a file. Throws `file-not-found`, `model-malformed`, `model-external-data`. */
export async function readModelFile(path: string): Promise<Model> {
  return (await readRunnable(path)).model;
}

export interface Runnable {
  readonly model: Model;
  /** For `openSession`: the file's own bytes, or its path where it has external data. */
  readonly source: Uint8Array | string;
}

/** As `readModelFile`, with what a session over the file is best opened on. */
export async function readRunnable(path: string): Promise<Runnable> {
  const bytes = await readWhole(path);
  const reader = externalReader(path);
  let isWhole = true;
  const external: ExternalData = (...place) => {
    isWhole = false;
    return reader(...place);
  };
  const model = readModel(bytes, { name: path, external });
  return { model, source: isWhole ? bytes : path };
}

async function readWhole(path: string): Promise<Uint8Array> {
  const unreadable = (reason: string, cause?: unknown) =>
    new HilumError(
      "model-malformed",
      `${path} cannot be read as a model: ${reason}. Name an .onnx file.`,
      { path },
      cause,
    );
  try {
    const info = await stat(path);
    if (!info.isFile()) throw unreadable("it is not a file");
    if (info.size > LARGEST_READ) throw unreadable(`no ONNX file can have ${info.size} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof HilumError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw unreadable(`${code}`, cause);
    throw new HilumError(
      "file-not-found",
      `There is no model file "${path}". Check the path.`,
      { path },
      cause,
    );
  }
}

/**
 * Writes the model whole or not at all. With `externalData`, which is the default for weights that
 * no single file can hold, tensors from 1 KiB on go to `NAME.data` beside it, each at a multiple
 * of 4096 bytes. Throws `disk-full` and `graph-invalid`.
 */
export function writeModelFile(
  path: string,
  model: Model,
  {
    externalData = weightBytes(model.graph) > LARGEST_FILE,
  }: { readonly externalData?: boolean } = {},
): void {
  if (!externalData) {
    writeFileAtomically(path, writeModel(model));
    return;
  }
  const external = externalWriter(path);
  const bytes = writeModel(model, { place: external.place });
  external.write();
  writeFileAtomically(path, bytes);
  external.clean();
}
