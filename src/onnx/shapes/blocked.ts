/** Shape rules of ONNX Runtime's operators on channel-blocked tensors. */
import { intOf } from "../graph.ts";
import { CONVOLUTION_SHAPES } from "./convolution.ts";
import type { ShapeTable } from "./infer.ts";

export const BLOCKED_SHAPES: ShapeTable = {
  Conv: CONVOLUTION_SHAPES.Conv!,
  GlobalAveragePool: CONVOLUTION_SHAPES.GlobalAveragePool!,
  ReorderInput: ({ operand, attributes }) => {
    const { type, shape } = operand(0);
    const isLast = intOf(attributes, "channels_last", 0) === 1;
    return [{ type, shape: isLast ? [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)] : shape }];
  },
  ReorderOutput: ({ operand, attributes }) => {
    const { type, shape } = operand(0);
    return [{ type, shape: [shape[0]!, intOf(attributes, "channels", 0), ...shape.slice(2)] }];
  },
};
