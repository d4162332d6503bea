import { operators as op, type Value } from "../../onnx/index.ts";

/** p (1 - rate decay). Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization". */
export function decayed(parameter: Value, rate: Value, decay: number): Value {
  if (decay === 0) return parameter;
  const { builder } = parameter;
  return op.mul(parameter, op.sub(builder.scalar(1), op.mul(rate, builder.scalar(decay))));
}
