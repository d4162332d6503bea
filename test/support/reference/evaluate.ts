/**
 * The reference evaluator: an ONNX graph computed in double precision by plain loops, for checking
 * gradients. Slow and literal on purpose; itself checked against ONNX Runtime (*.test.ts here).
 */
import type { Graph } from "../../../src/onnx/index.ts";
import { ARITHMETIC_KERNELS } from "./arithmetic.ts";
import { arrayOf, type NdArray } from "./array.ts";
import { CONTRACTION_KERNELS } from "./contraction.ts";
import { CONVOLUTION_KERNELS } from "./convolution.ts";
import { ELEMENTWISE_KERNELS } from "./elementwise.ts";
import { type KernelTable, operationOf } from "./kernel.ts";
import { NORMALIZATION_KERNELS } from "./normalization.ts";
import { REARRANGEMENT_KERNELS } from "./rearrangement.ts";
import { REDUCTION_KERNELS } from "./reduction.ts";
import { RESIZING_KERNELS } from "./resizing.ts";
import { SELECTION_KERNELS } from "./selection.ts";

export const KERNELS: KernelTable = {
  ...ARITHMETIC_KERNELS,
  ...CONTRACTION_KERNELS,
  ...CONVOLUTION_KERNELS,
  ...ELEMENTWISE_KERNELS,
  ...NORMALIZATION_KERNELS,
  ...REARRANGEMENT_KERNELS,
  ...REDUCTION_KERNELS,
  ...RESIZING_KERNELS,
  ...SELECTION_KERNELS,
};

export interface Feed {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** The graph's outputs by name. Throws a RangeError for an operator without a kernel. */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Feed>>,
): Record<string, NdArray> {
  const values = new Map<string, NdArray>();
  for (const [name, contents] of graph.initializers)
    values.set(name, arrayOf(contents.type, contents));
  for (const { name, type } of graph.inputs) {
    const feed = feeds[name];
    if (feed) values.set(name, arrayOf(type ?? "float32", feed));
    else if (!values.has(name)) throw new RangeError(`input "${name}" was not fed`);
  }
  for (const node of graph.nodes) {
    const kernel = node.domain === "" ? KERNELS[node.operator] : undefined;
    if (!kernel) throw new RangeError(`the reference has no kernel for ${node.operator}`);
    const results = kernel(
      operationOf(
        node,
        node.inputs.map((name) => values.get(name)),
      ),
    );
    node.outputs.forEach((name, index) => {
      if (name !== "") values.set(name, results[index]!);
    });
  }
  return Object.fromEntries(graph.outputs.map(({ name }) => [name, values.get(name)!]));
}
