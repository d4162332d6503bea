/** Weight files on disk, whatever their format. */
import { open, readFile } from "node:fs/promises";
import { HilumError } from "../../errors.ts";
import { readModelFile } from "../../onnx/index.node.ts";
import { isConstantName, readSafetensors, type Tensor } from "../../onnx/index.ts";
import { isReal } from "./float32.ts";
import { readKerasArchive } from "./keras-archive.node.ts";
import { readKerasH5 } from "./keras-h5.node.ts";
import type { NamedTensors } from "./named-tensors.ts";
import { type ReadFormatName, WEIGHT_FORMATS } from "./weight-formats.ts";

const READERS: Readonly<Partial<Record<ReadFormatName, (path: string) => Promise<NamedTensors>>>> =
  {
    "keras-h5": readKerasH5,
    "keras-archive": readKerasArchive,
    safetensors: async (path) => {
      const { tensors } = readSafetensors(await readFile(path), path);
      return { source: path, convention: "torch", tensors };
    },
    onnx: async (path) => {
      const { graph } = await readModelFile(path);
      return { source: path, convention: "torch", tensors: weightsOf(graph.initializers) };
    },
  };

/**
 * The tensors of a safetensors, Keras or ONNX file under their own names. Throws `file-not-found`,
 * `weights-malformed`, `model-malformed`, and `weights-unsupported` with how to convert the file.
 */
export async function readWeights(path: string): Promise<NamedTensors> {
  const head = await headOf(path);
  const format = WEIGHT_FORMATS.find((candidate) => candidate.matches(head, path));
  const reader = READERS[format?.name as ReadFormatName];
  if (reader) return reader(path);
  const conversion = format?.convert?.(path);
  throw new HilumError(
    "weights-unsupported",
    conversion
      ? `${path} is a ${format!.name}, which is not read. Convert it to safetensors: ${conversion}`
      : `${path} is no weight file of a known format. Name a .safetensors, .onnx, .h5, .weights.h5 or .keras file.`,
    { file: path, format: format?.name ?? null, conversion },
  );
}

/** An exporter's constants are no weights. */
function weightsOf(initializers: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...initializers].filter(([name, tensor]) => !isConstantName(name) && isReal(tensor)),
  );
}

const HEAD_BYTES = 65_536;

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw cause;
    throw new HilumError(
      "file-not-found",
      `There is no weight file "${path}". Check the path.`,
      { path },
      cause,
    );
  });
  try {
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(HEAD_BYTES) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
