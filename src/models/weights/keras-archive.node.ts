/** `.keras` archives: a zip file that holds the weights as HDF5 beside the configuration. */
import { readFile } from "node:fs/promises";
import { HilumError, isHilumError } from "../../errors.ts";
import { mostUnpacked } from "./hdf5.node.ts";
import { kerasTensors } from "./keras-h5.node.ts";
import type { NamedTensors } from "./named-tensors.ts";

const WEIGHTS = "model.weights.h5";

/** The tensors of a `.keras` file. Throws `weights-malformed` naming the place. */
export async function readKerasArchive(path: string): Promise<NamedTensors> {
  const bytes = await readFile(path);
  return kerasTensors(await weightsOf(bytes, path), `${path} (${WEIGHTS})`);
}

async function weightsOf(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new HilumError(
      "weights-malformed",
      `${path} is not a whole Keras archive: ${problem}. Make or download it again.`,
      { file: path, place: WEIGHTS, problem },
      cause,
    );
  };
  const { unzipSync } = await import("fflate");
  try {
    const files = unzipSync(bytes, {
      filter({ name, originalSize, size }) {
        if (name !== WEIGHTS) return false;
        if (originalSize > mostUnpacked(size))
          fail(`${WEIGHTS} claims to be ${originalSize} bytes, packed into ${size}`);
        return true;
      },
    });
    return files[WEIGHTS] ?? fail(`it holds no ${WEIGHTS}`);
  } catch (error) {
    if (isHilumError(error)) throw error;
    return fail(error instanceof Error ? error.message : String(error), error);
  }
}
