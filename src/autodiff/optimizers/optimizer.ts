/** What an optimizer is: state slots per parameter and one update as graph nodes. */
import type { Value } from "../../onnx/index.ts";

export interface OptimizerControls {
  /** Scalar. */
  readonly learningRate: Value;
  /** Scalar, 1 in the first step. */
  readonly step: Value;
}

export interface UpdateOperands {
  readonly parameter: Value;
  readonly gradient: Value;
  readonly slots: readonly Value[];
  /** The learning rate of the parameter's group, scalar. */
  readonly rate: Value;
  /** Decoupled weight decay of this parameter; 0 for biases and norms. */
  readonly decay: number;
}

export interface Updated {
  readonly parameter: Value;
  readonly slots: readonly Value[];
}

export interface Optimizer {
  readonly name: string;
  /** One tensor of the parameter's shape, initially zero, per slot. */
  readonly slots: readonly string[];
  readonly weightDecay: number;
  /** Makes what all parameters share once, and returns the update of one parameter. */
  begin(controls: OptimizerControls): (operands: UpdateOperands) => Updated;
}
