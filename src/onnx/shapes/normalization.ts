/** Shape rules of normalizations and softmax. */
import { intOf } from "../graph.ts";
import type { ShapeRule, ShapeTable } from "./infer.ts";

const sameAsFirst: ShapeRule = (context) => {
  const { type, shape } = context.operand(0);
  return [{ type, shape }];
};

export const NORMALIZATION_SHAPES: ShapeTable = {
  BatchNormalization: (context) => {
    const { type, shape } = context.operand(0);
    const statistics = { type: context.operand(3).type, shape: context.operand(3).shape };
    return [{ type, shape }, statistics, statistics];
  },
  LayerNormalization: (context) => {
    const { type, shape } = context.operand(0);
    const axis = intOf(context.attributes, "axis", -1);
    const first = axis < 0 ? axis + shape.length : axis;
    const reduced = shape.map((dim, index) => (index < first ? dim : 1));
    return [
      { type, shape },
      { type: "float32", shape: reduced },
      { type: "float32", shape: reduced },
    ];
  },
  InstanceNormalization: sameAsFirst,
  GroupNormalization: sameAsFirst,
  LpNormalization: sameAsFirst,
  LRN: sameAsFirst,
  Softmax: sameAsFirst,
  LogSoftmax: sameAsFirst,
  Hardmax: sameAsFirst,
};
