/** Names and layouts of Keras: channels last, and dense layers with the inputs first. */
import { sizeOf, type Tensor } from "../../onnx/index.ts";
import type { Naming } from "./named-tensors.ts";

const PARTS: Readonly<Record<string, string>> = {
  weight: "kernel",
  depthwise: "depthwise_kernel",
  pointwise: "pointwise_kernel",
  scale: "gamma",
  mean: "moving_mean",
  variance: "moving_variance",
};

/** `parameters` are all of the graph: its norms are known by their having a variance or a scale. */
export function kerasNaming(parameters: ReadonlySet<string>): Naming {
  return {
    names(parameter) {
      const [layer, part] = split(parameter);
      const isNorm = parameters.has(`${layer}.variance`) || parameters.has(`${layer}.scale`);
      const own = part === "bias" && isNorm ? "beta" : (PARTS[part] ?? part);
      return [`${layer}/${own}`];
    },
    isIgnored: () => false,
    layOut(found, parameter) {
      const [, part] = split(parameter);
      if (part === "depthwise" && found.dims.length === 4) return depthwise(found);
      if (found.dims.length === 4) return transposed(found, [3, 2, 0, 1]);
      return found.dims.length === 2 ? transposed(found, [1, 0]) : found;
    },
  };
}

function split(parameter: string): [layer: string, part: string] {
  const dot = parameter.lastIndexOf(".");
  return [parameter.slice(0, dot), parameter.slice(dot + 1)];
}

/** [h, w, in, multiplier] -> [in * multiplier, 1, h, w]. */
function depthwise(found: Tensor): Tensor {
  const [height, width, inputs, multiplier] = found.dims as [number, number, number, number];
  const { type, data } = transposed(found, [2, 3, 0, 1]);
  return { type, dims: [inputs * multiplier, 1, height, width], data };
}

function transposed({ type, dims, data }: Tensor, order: readonly number[]): Tensor {
  const strides = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const newDims = order.map((axis) => dims[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const result = data.slice() as typeof data;
  let place = 0;
  const walk = (depth: number, from: number): void => {
    const count = newDims[depth]!;
    const step = steps[depth]!;
    const isLast = depth === newDims.length - 1;
    for (let index = 0, at = from; index < count; index++, at += step)
      if (isLast) result[place++] = data[at]!;
      else walk(depth + 1, at);
  };
  walk(0, 0);
  return { type, dims: newDims, data: result };
}
