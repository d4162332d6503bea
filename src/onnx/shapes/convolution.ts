/** Shape rules of convolution and pooling. */
import { type Dimension, intOf, intsOf, stringOf } from "../graph.ts";
import { toNumbers } from "../tensor.ts";
import type { ShapeContext, ShapeRule, ShapeTable } from "./infer.ts";
import { windowOf } from "./window.ts";

function kernelOf(context: ShapeContext): readonly number[] {
  const kernel = intsOf(context.attributes, "kernel_shape");
  return kernel ?? context.fail("kernel_shape is missing");
}

const pool: ShapeRule = (context) => {
  const { type, shape } = context.operand(0);
  const kernel = kernelOf(context);
  if (shape.length !== kernel.length + 2)
    return context.fail(`input [${shape}] does not fit a window of rank ${kernel.length}`);
  const { output } = windowOf(context.attributes, shape.slice(2), kernel);
  if (output.some((size) => typeof size === "number" && size < 1))
    return context.fail(`the window [${kernel}] is larger than the input [${shape}]`);
  const result = [shape[0]!, shape[1]!, ...output];
  return [
    { type, shape: result },
    { type: "int64", shape: result },
  ];
};

const globalPool: ShapeRule = (context) => {
  const { type, shape } = context.operand(0);
  return [{ type, shape: [shape[0]!, shape[1]!, ...shape.slice(2).map(() => 1)] }];
};

export const CONVOLUTION_SHAPES: ShapeTable = {
  AveragePool: pool,
  MaxPool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Conv: (context) => {
    const { type, shape } = context.operand(0);
    const weight = context.operand(1).shape;
    const group = intOf(context.attributes, "group", 1);
    const channels = shape[1];
    const perGroup = weight[1];
    if (shape.length !== weight.length)
      return context.fail(`input [${shape}] and weight [${weight}] differ in rank`);
    if (
      typeof channels === "number" &&
      typeof perGroup === "number" &&
      channels !== perGroup * group
    )
      return context.fail(
        `input [${shape}] has ${channels} channels, but weight [${weight}] in ${group} group(s) needs ${perGroup * group}`,
      );
    const kernel = weight.slice(2).map((dim) => (typeof dim === "number" ? dim : 1));
    const { output } = windowOf(context.attributes, shape.slice(2), kernel);
    if (output.some((size) => typeof size === "number" && size < 1))
      return context.fail(`the kernel [${kernel}] is larger than the padded input [${shape}]`);
    return [{ type, shape: [shape[0]!, weight[0]!, ...output] }];
  },
  ConvTranspose: (context) => {
    const { type, shape } = context.operand(0);
    const weight = context.operand(1).shape;
    const group = intOf(context.attributes, "group", 1);
    const spatial = shape.slice(2);
    const explicit = intsOf(context.attributes, "output_shape");
    const output = explicit ?? transposedOutput(context, spatial, weight.slice(2));
    const perGroup = weight[1];
    const channels = typeof perGroup === "number" ? perGroup * group : null;
    return [{ type, shape: [shape[0]!, channels, ...output.slice(-spatial.length)] }];
  },
  MaxUnpool: (context) => {
    const { type, shape } = context.operand(0);
    const explicit = context.inputs[2]?.constant;
    if (explicit) return [{ type, shape: toNumbers(explicit) }];
    const kernel = kernelOf(context);
    const rank = kernel.length;
    const strides = intsOf(context.attributes, "strides") ?? kernel.map(() => 1);
    const pads = intsOf(context.attributes, "pads") ?? Array<number>(2 * rank).fill(0);
    const output = shape
      .slice(2)
      .map((dim, axis) =>
        typeof dim === "number"
          ? (dim - 1) * strides[axis]! + kernel[axis]! - pads[axis]! - pads[axis + rank]!
          : null,
      );
    return [{ type, shape: [shape[0]!, shape[1]!, ...output] }];
  },
};

function transposedOutput(
  context: ShapeContext,
  spatial: readonly Dimension[],
  kernel: readonly Dimension[],
): Dimension[] {
  const rank = spatial.length;
  const { attributes } = context;
  const strides = intsOf(attributes, "strides") ?? Array<number>(rank).fill(1);
  const dilations = intsOf(attributes, "dilations") ?? Array<number>(rank).fill(1);
  const pads = intsOf(attributes, "pads") ?? Array<number>(2 * rank).fill(0);
  const extra = intsOf(attributes, "output_padding") ?? Array<number>(rank).fill(0);
  const isSame = stringOf(attributes, "auto_pad", "NOTSET").startsWith("SAME");
  return spatial.map((size, axis) => {
    const taps = kernel[axis];
    if (typeof size !== "number" || typeof taps !== "number") return null;
    if (isSame) return size * strides[axis]!;
    const extent = (taps - 1) * dilations[axis]! + 1;
    return (size - 1) * strides[axis]! + extra[axis]! + extent - pads[axis]! - pads[axis + rank]!;
  });
}
