/** Shape rules of resampling operators. */
import { type Dimension, intsOf, stringOf } from "../graph.ts";
import { toNumbers } from "../tensor.ts";
import type { ShapeTable } from "./infer.ts";

export const RESIZING_SHAPES: ShapeTable = {
  Resize: (context) => {
    const { type, shape } = context.operand(0);
    const rank = shape.length;
    const axes = (intsOf(context.attributes, "axes") ?? shape.map((_, axis) => axis)).map((axis) =>
      axis < 0 ? axis + rank : axis,
    );
    const scales = context.inputs[2]?.constant;
    const sizes = context.inputs[3]?.constant;
    const isStretched =
      stringOf(context.attributes, "keep_aspect_ratio_policy", "stretch") === "stretch";
    if (!isStretched)
      return [{ type, shape: shape.map((dim, axis) => (axes.includes(axis) ? null : dim)) }];
    const result: Dimension[] = [...shape];
    axes.forEach((axis, index) => {
      const size = shape[axis]!;
      if (sizes) result[axis] = Number(sizes.data[index]);
      else if (scales && typeof size === "number")
        result[axis] = Math.floor(size * Number(scales.data[index]));
      else if (!scales || Number(scales.data[index]) !== 1) result[axis] = null;
    });
    return [{ type, shape: result }];
  },
  GridSample: (context) => {
    const { type, shape } = context.operand(0);
    const grid = context.operand(1).shape;
    return [{ type, shape: [shape[0]!, shape[1]!, ...grid.slice(1, -1)] }];
  },
  AffineGrid: (context) => {
    const { type, shape } = context.operand(0);
    const size = context.inputs[1]?.constant;
    const spatial = size ? toNumbers(size).slice(2) : [null, null];
    return [{ type, shape: [shape[0]!, ...spatial, spatial.length] }];
  },
  CenterCropPad: (context) => {
    const { type, shape } = context.operand(0);
    const target = context.inputs[1]?.constant;
    const axes = intsOf(context.attributes, "axes") ?? shape.map((_, axis) => axis);
    const sizes = target ? toNumbers(target) : [];
    const cropped = shape.map((dim, axis) =>
      axes.includes(axis) ? (sizes[axes.indexOf(axis)] ?? null) : dim,
    );
    return [{ type, shape: cropped }];
  },
};
