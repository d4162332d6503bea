/** The small files of test/reference, each made by the script beside it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of a fixture, such as `onnx/conv-net.onnx`. */
export function referencePath(name: string): string {
  return fileURLToPath(new URL(`../reference/${name}`, import.meta.url));
}

/** Its bytes, in an array of its own. */
export function referenceBytes(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(referencePath(name)));
}
