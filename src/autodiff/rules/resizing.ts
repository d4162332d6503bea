/**
 * The gradient of Resize. Resizing is linear and acts on each axis apart, y = R x R'^T, so the
 * gradient is the same products with the transposed matrices. The matrices are small constants.
 */
import {
  float32,
  intOf,
  intsOf,
  operators as op,
  staticShape,
  stringOf,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import type { GradientContext, GradientRule, GradientTable } from "../rule.ts";

const resize: GradientRule = (context) => {
  const x = context.input(0);
  const mode = stringOf(context.attributes, "mode", "nearest");
  if (mode === "cubic") context.unsupported('mode "cubic" has no gradient here');
  if (intOf(context.attributes, "antialias", 0) === 1)
    context.unsupported("an antialiased resize has no gradient here");
  const from = staticShape(x);
  const to = staticShape(context.gradient);
  const given = scalesByAxis(context);
  let { gradient } = context;
  // Whatever the scales, ONNX Runtime hands on unchanged what keeps its whole shape.
  if (from.every((size, axis) => size === to[axis])) return [gradient];
  from.forEach((size, axis) => {
    const scale = given.get(axis) ?? to[axis]! / size;
    if (size === to[axis] && scale === 1) return;
    const weights = axisWeights(context, size, to[axis]!, scale);
    gradient = alongAxis(gradient, axis, weights, size);
  });
  return [gradient];
};

/** The scales that the node states; none where it states sizes. An empty operand is left out too. */
function scalesByAxis(context: GradientContext): ReadonlyMap<number, number> {
  const operand = context.optionalInput(2);
  if (operand && !operand.constant) context.unsupported("its scales are computed at run time");
  const rank = context.input(0).shape.length;
  const axes = intsOf(context.attributes, "axes");
  return new Map(
    (operand?.constant ? toNumbers(operand.constant) : []).map((scale, index) => {
      const axis = axes?.[index] ?? index;
      return [axis < 0 ? axis + rank : axis, scale];
    }),
  );
}

/** The matrix `[output, input]` of one axis. Source: ONNX Resize-19. */
function axisWeights(
  context: GradientContext,
  size: number,
  outputs: number,
  scale: number,
): Float32Array {
  const isLinear = stringOf(context.attributes, "mode", "nearest") === "linear";
  const weights = new Float32Array(outputs * size);
  const clamp = (index: number) => Math.min(size - 1, Math.max(0, index));
  for (let output = 0; output < outputs; output++) {
    const position = sourcePosition(context, output, { size, outputs, scale });
    if (!isLinear) {
      weights[output * size + clamp(nearest(context, position))]! += 1;
      continue;
    }
    const low = Math.floor(position);
    const share = position - low;
    weights[output * size + clamp(low)]! += 1 - share;
    weights[output * size + clamp(low + 1)]! += share;
  }
  return weights;
}

interface ResizedAxis {
  readonly size: number;
  readonly outputs: number;
  readonly scale: number;
}

const halfPixel = (output: number, { scale }: ResizedAxis): number => (output + 0.5) / scale - 0.5;

/** Where an output element lies on the input's axis, by `coordinate_transformation_mode`. */
const POSITIONS: Readonly<Record<string, (output: number, axis: ResizedAxis) => number>> = {
  half_pixel: halfPixel,
  asymmetric: (output, { scale }) => output / scale,
  align_corners: (output, { size, outputs }) =>
    outputs === 1 ? 0 : (output * (size - 1)) / (outputs - 1),
  pytorch_half_pixel: (output, axis) => (axis.outputs === 1 ? 0 : halfPixel(output, axis)),
  half_pixel_symmetric(output, axis) {
    const adjustment = axis.outputs / (axis.scale * axis.size);
    return (axis.size / 2) * (1 - adjustment) + halfPixel(output, axis);
  },
  tf_half_pixel_for_nn: (output, { scale }) => (output + 0.5) / scale,
};

function sourcePosition(context: GradientContext, output: number, axis: ResizedAxis): number {
  const mode = stringOf(context.attributes, "coordinate_transformation_mode", "half_pixel");
  const position = POSITIONS[mode];
  if (!position) context.unsupported(`coordinate_transformation_mode "${mode}" has no gradient`);
  return position(output, axis);
}

function nearest(context: GradientContext, position: number): number {
  const mode = stringOf(context.attributes, "nearest_mode", "round_prefer_floor");
  if (mode === "floor") return Math.floor(position);
  if (mode === "ceil") return Math.ceil(position);
  return mode === "round_prefer_ceil" ? Math.floor(position + 0.5) : Math.ceil(position - 0.5);
}

/** The product with `[outputs, size]` weights along one axis: `[..., outputs, ...]` to `[..., size, ...]`. */
function alongAxis(x: Value, axis: number, weights: Float32Array, size: number): Value {
  const shape = staticShape(x);
  const outputs = shape[axis]!;
  const matrix = x.builder.constant(float32([outputs, size], weights));
  const rank = shape.length;
  if (axis === rank - 1) return op.matMul(x, matrix);
  const before = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const after = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const blocks = op.reshape(x, [before, outputs, after]);
  const product = op.matMul(op.transpose(matrix, [1, 0]), blocks);
  return op.reshape(product, [...shape.slice(0, axis), size, ...shape.slice(axis + 1)]);
}

export const RESIZING_GRADIENTS: GradientTable = { Resize: resize };
