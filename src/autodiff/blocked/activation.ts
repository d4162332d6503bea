/** The gradient of an activation that a kernel applies to its own result. */
import type { Activation, Value } from "../../onnx/index.ts";
import { isBetween, isPositive } from "../rules/activation.ts";

/** 1 where the activation lets the gradient pass, from its result. */
export function activationMask(y: Value, activation: Activation): Value {
  if (activation.kind === "Relu") return isPositive(y);
  return isBetween(y, activation.low, activation.high);
}
