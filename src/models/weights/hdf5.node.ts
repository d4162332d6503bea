/**
 * An HDF5 file as groups and tensors, through h5wasm. The file lies in the memory of the library,
 * which can reach no other: a link or data set that leads out of the file leads nowhere.
 */
import type { Dataset, Entity, Group } from "h5wasm";
import { HilumError, isHilumError } from "../../errors.ts";
import { sizeOf, type Tensor, tensor } from "../../onnx/index.ts";

export interface Hdf5Group {
  readonly path: string;
  /** Names of its members, those that end in numbers by number. */
  names(): string[];
  /** The group there, or undefined where there is none. */
  group(path: string): Hdf5Group | undefined;
  /** The numbers there. */
  tensor(path: string): Tensor;
  /** The texts of an attribute, which Keras cuts into NAME0, NAME1, ... where it is long. */
  texts(attribute: string): string[] | undefined;
  /** Throws `weights-malformed`, naming the file and this place. */
  fail(problem: string): never;
}

const LARGEST = 4 * 1024 ** 3;
const LARGEST_EXPANSION = 100;

/** Bytes that a packed file may become: it can claim much more than it holds. */
export function mostUnpacked(bytes: number): number {
  return Math.min(LARGEST, Math.max(bytes, 1024) * LARGEST_EXPANSION);
}

let opened = 0;
let loaded = 0;
let library: Promise<typeof import("h5wasm")["h5wasm"]> | undefined;

/**
 * The library, which throws what HDF5 would print. Damaged files can leave it unfit for any other,
 * so that it is given up with the file (`library = undefined`) and loaded anew for the next: else
 * legacy.h5 is no longer read after 180 files damaged as the test does (small.weights.h5, rounds 0
 * to 179, legacy.h5 read after each). No fewer were found to do it.
 */
async function loadLibrary(): Promise<typeof import("h5wasm")["h5wasm"]> {
  const { h5wasm }: typeof import("h5wasm") = await import(
    `${import.meta.resolve("h5wasm")}?${loaded++}`
  );
  (await h5wasm.ready).activate_throwing_error_handler();
  return h5wasm;
}

/** What `read` returns of the file. Throws `weights-malformed` where it is no whole HDF5 file. */
export async function readHdf5<Result>(
  bytes: Uint8Array,
  source: string,
  read: (root: Hdf5Group) => Result,
): Promise<Result> {
  library ??= loadLibrary();
  const h5wasm = await library;
  const { FS } = await h5wasm.ready;
  const name = `/weights-${opened++}.h5`;
  let place = "/";
  const fail = (problem: string, at = place, cause?: unknown): never => {
    throw new HilumError(
      "weights-malformed",
      `${source} is not a whole Keras weight file: ${problem} (at ${at}). Make or download it again.`,
      { file: source, place: at, problem },
      cause,
    );
  };
  let left = mostUnpacked(bytes.length);

  const view = (group: Group): Hdf5Group => {
    const find = (path: string): Entity | null => {
      place = joined(group.path, path);
      let at: Entity | null = group;
      for (const name of path.split("/").filter((part) => part !== ""))
        at = at instanceof h5wasm.Group && at.keys().includes(name) ? at.get(name) : null;
      return at;
    };
    return {
      path: group.path,
      names: () => group.keys().sort((a, b) => a.localeCompare(b, "en", { numeric: true })),
      group(path) {
        const found = find(path);
        return found instanceof h5wasm.Group ? view(found) : undefined;
      },
      tensor(path) {
        const found = find(path);
        if (!(found instanceof h5wasm.Dataset))
          return fail(found ? "it holds no numbers" : "it is missing");
        const read = tensorOf(found, left, fail);
        left -= read.data.byteLength;
        return read;
      },
      texts: (attribute) => textsOf(group, attribute, fail),
      fail: (problem) => fail(problem, group.path),
    };
  };

  FS.createDataFile("/", name.slice(1), bytes, true, false, true);
  try {
    const file = new h5wasm.File(name, "r");
    try {
      return read(view(file));
    } finally {
      file.close();
    }
  } catch (error) {
    if (isHilumError(error)) throw error;
    library = undefined;
    return fail(reasonOf(error), place, error);
  } finally {
    FS.unlink(name);
  }
}

function tensorOf(dataset: Dataset, limit: number, fail: (problem: string) => never): Tensor {
  const { shape, size, type, littleEndian, virtual_sources: sources } = dataset.metadata;
  const kind = `${type}/${size}`;
  if (sources) return fail("its numbers are in other files");
  if (kind !== FLOAT32 && kind !== FLOAT64)
    return fail("its numbers are not of single or double precision");
  if (!littleEndian) return fail("its numbers are big-endian");
  const dims = shape ?? fail("it has no shape");
  if (sizeOf(dims) * size > limit)
    return fail(`it claims to hold ${dims.join(" x ")} numbers, more than the file can hold`);
  const { value } = dataset;
  if (value instanceof Float32Array) return tensor("float32", dims, value);
  if (value instanceof Float64Array) return tensor("float64", dims, value);
  return fail("it holds no numbers");
}

/** HDF5's class of floating-point numbers, and bytes. */
const FLOAT32 = "1/4";
const FLOAT64 = "1/8";

function textsOf(
  group: Group,
  attribute: string,
  fail: (problem: string) => never,
): string[] | undefined {
  const attributes = group.attrs;
  const names = attribute in attributes ? [attribute] : [];
  for (let part = 0; `${attribute}${part}` in attributes; part++) names.push(`${attribute}${part}`);
  if (names.length === 0) return undefined;
  return names.flatMap((name) => {
    const { metadata, value } = attributes[name]!;
    // An empty list is written as numbers, of which there are none.
    if (metadata.total_size === 0) return [];
    const texts: unknown[] = Array.isArray(value) ? value : [value];
    return texts.map((text) =>
      typeof text === "string" ? text : fail(`its attribute "${name}" is not a list of texts`),
    );
  });
}

const joined = (folder: string, path: string): string => `${folder}/${path}`.replace(/\/+/g, "/");

/** HDF5's own innermost reason, where it gave one. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "RuntimeError") return "its structure is damaged";
  const text = error instanceof Error ? error.message : String(error);
  const innermost = [...text.matchAll(/^\s*#\d+: .*?\(\): (.*)$/gm)].at(-1)?.[1];
  return (innermost ?? text.split("\n", 1)[0]!).trim() || "it cannot be read";
}
