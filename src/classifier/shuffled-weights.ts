/**
 * A classifier that has forgotten what its upper layers learnt. What an explanation keeps of itself
 * then does not come from what was learnt there. Source: Adebayo et al. 2018, "Sanity checks for
 * saliency maps", section 3.1, cascading randomisation; but each layer's weights are shuffled among
 * themselves and not drawn anew, so that they keep their distribution.
 */

import type { Model, Node, Tensor } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { networkNodes } from "./network-of.ts";
import { withStoredWeights } from "./stored-weights.ts";

/** Operators whose second input are weights, where that is an initializer. */
const PRODUCTS: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);

/** Names of the network's weights of convolutions and matrix products, the first layer's first. */
export function weightLayers(model: Model): string[] {
  const full = withStoredWeights(model, null);
  const isWeights = (name: string | undefined) =>
    name !== undefined && (full.graph.initializers.get(name)?.dims.length ?? 0) >= 2;
  const products = networkNodes(full).filter(
    ({ operator, inputs }: Node) => PRODUCTS.has(operator) && isWeights(inputs[1]),
  );
  return [...new Set(products.map(({ inputs }) => inputs[1]!))];
}

/** The model with the values of these weights shuffled within each layer; all others stay. */
export function withShuffledWeights(
  model: Model,
  layers: readonly string[],
  { seed = 0 }: { readonly seed?: number } = {},
): Model {
  const full = withStoredWeights(model, null);
  const initializers = new Map(full.graph.initializers);
  for (const name of layers) initializers.set(name, shuffled(initializers.get(name)!, seed, name));
  return { ...full, graph: { ...full.graph, initializers } };
}

function shuffled(contents: Tensor, seed: number, name: string): Tensor {
  const data = (contents.data as Float32Array).slice();
  const random = randomStream(seed, "shuffled weights", name);
  for (let i = data.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const swapped = data[i]!;
    data[i] = data[j]!;
    data[j] = swapped;
  }
  return { ...contents, data } as Tensor;
}
