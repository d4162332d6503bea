/** ONNX files on disk, with external data beside them. */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { HilumError } from "../errors.ts";
import { writeFileAtomically } from "../files.node.ts";
import type { Model } from "./graph.ts";
import { readModel } from "./read.ts";
import { type ExternalPlacement, writeModel } from "./write.ts";

/** The model in a file. Throws `file-not-found`, `model-malformed`, `model-external-data`. */
export async function readModelFile(path: string): Promise<Model> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const isMissing = cause.code === "ENOENT";
    throw new HilumError(
      isMissing ? "file-not-found" : "model-malformed",
      isMissing
        ? `There is no model file "${path}". Check the path.`
        : `${path} cannot be read as a model (${cause.code}). Name an .onnx file.`,
      { path },
      cause,
    );
  });
  const external = (location: string, offset: number, length: number) =>
    readExternal(path, location, { offset, length });
  return readModel(bytes, { name: path, external });
}

/** Bytes of a file in the model's own folder; nothing outside it is ever opened. */
function readExternal(
  model: string,
  location: string,
  { offset, length }: { offset: number; length: number },
): Uint8Array {
  const folder = realpathSync(dirname(resolve(model)));
  const fail = (problem: string, cause?: unknown): never => {
    throw new HilumError(
      "model-external-data",
      `${model}: its external data "${location}" ${problem}. Put the file beside the model as its publisher ships it.`,
      { model, location },
      cause,
    );
  };
  const isInside = (path: string) => {
    const way = relative(folder, path);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  if (isAbsolute(location) || !isInside(join(folder, location))) fail("leaves the model's folder");
  let real: string;
  try {
    real = realpathSync(join(folder, location));
  } catch (cause) {
    return fail("is missing", cause);
  }
  if (!isInside(real)) fail("is a link out of the model's folder");
  const file = openSync(real, "r");
  try {
    const { size } = fstatSync(file);
    if (offset + length > size)
      fail(`is too short: ${offset + length} bytes are needed, ${size} are there`);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; )
      done += readSync(file, bytes, done, length - done, offset + done);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Protobuf cannot hold more. */
const LARGEST_FILE = 2 ** 31 - 1;
const ALIGNMENT = 4096;
const SMALLEST_EXTERNAL = 1024;

/** Writes the model whole or not at all; large weights go to `NAME.data` beside it where asked for or needed. */
export function writeModelFile(
  path: string,
  model: Model,
  { externalData = totalBytes(model) > LARGEST_FILE }: { readonly externalData?: boolean } = {},
): void {
  if (!externalData) {
    writeFileAtomically(path, writeModel(model));
    return;
  }
  const location = `${basename(path)}.data`;
  const parts: Uint8Array[] = [];
  let end = 0;
  const place: ExternalPlacement = (_, bytes) => {
    if (bytes.length < SMALLEST_EXTERNAL) return undefined;
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    parts.push(new Uint8Array(offset - end), bytes);
    end = offset + bytes.length;
    return { location, offset };
  };
  const bytes = writeModel(model, { place });
  writeFileAtomically(join(dirname(path), location), Buffer.concat(parts));
  writeFileAtomically(path, bytes);
}

function totalBytes(model: Model): number {
  let total = 0;
  for (const { data } of model.graph.initializers.values()) total += data.byteLength;
  return total;
}
