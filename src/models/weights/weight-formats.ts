/** Formats of weight files, told by their first bytes: those that are read, and those to convert. */

export interface WeightFormat {
  readonly name: string;
  /** From the first bytes of the file (64 KiB or all of it) and its name. */
  matches(head: Uint8Array, path: string): boolean;
  /** How a file that is not read becomes one that is. */
  convert?(path: string): string;
}

export type ReadFormatName = "keras-h5" | "keras-archive" | "safetensors" | "onnx";

/** Whoever comes first matches: formats without a mark of their own are at the end. */
export const WEIGHT_FORMATS: readonly WeightFormat[] = [
  { name: "keras-h5", matches: (head) => startsWith(head, [0x89, 0x48, 0x44, 0x46]) },
  {
    name: "keras-archive",
    matches: (head, path) => isZip(head) && (path.endsWith(".keras") || holds(head, "config.json")),
  },
  {
    name: "numpy archive",
    matches: (head, path) => isZip(head) && path.endsWith(".npz"),
    convert: (path) =>
      python(
        `import numpy; from safetensors.numpy import save_file; save_file({k: numpy.ascontiguousarray(v) for k, v in numpy.load('${path}').items()}, '${converted(path)}')`,
      ),
  },
  {
    // A zip archive holding a pickle, or, before 2020, a bare pickle of protocol 2.
    name: "PyTorch checkpoint",
    matches: (head, path) =>
      startsWith(head, [0x80, 0x02]) || (isZip(head) && holds(head, "data.pkl")) || isTorch(path),
    convert: torchConversion,
  },
  { name: "safetensors", matches: (head) => head.length > 8 && head[8] === 0x7b },
  // An ONNX file begins with its field 1, the version of the format.
  { name: "onnx", matches: (head, path) => path.endsWith(".onnx") || head[0] === 0x08 },
];

/** One line that makes safetensors of a PyTorch checkpoint; `open` is Python for the file. */
export function torchConversion(
  path: string,
  { target = converted(path), open = `'${path}'` }: { target?: string; open?: string } = {},
): string {
  const imports = `import torch, zipfile; from safetensors.torch import save_file`;
  const load = `w = torch.load(${open}, map_location='cpu', weights_only=True)`;
  const kept = `{k: v.contiguous() for k, v in w.items() if not k.endswith('num_batches_tracked')}`;
  return python(`${imports}; ${load}; w = w.get('state_dict', w); save_file(${kept}, '${target}')`);
}

const python = (line: string): string => `python -c "${line}"`;
const converted = (path: string): string => path.replace(/\.\w+$|$/, ".safetensors");
const isTorch = (path: string): boolean => /\.(pt|pth|ckpt|bin)$/.test(path);
const isZip = (head: Uint8Array): boolean => startsWith(head, [0x50, 0x4b, 0x03, 0x04]);

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => head[index] === byte);
}

function holds(head: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(head.subarray(0, 4096)).includes(text);
}
