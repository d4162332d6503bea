/** The blocks of a backbone, by the names of its layers. */
import { parameterNames } from "../../autodiff/index.ts";
import type { Graph } from "../../onnx/index.ts";

/**
 * Parameter names by block, from the image to the features: what shares its name up to a number
 * ("_blocks.3", "layer1.0") is a block; a layer outside of any is one of its own.
 */
export function blocksOf(graph: Graph): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of parameterNames(graph)) {
    const block = /^(.*?\d+)[./]/.exec(name)?.[1] ?? name.split(".")[0]!;
    groups.set(block, [...(groups.get(block) ?? []), name]);
  }
  return [...groups.values()];
}
