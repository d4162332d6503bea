/**
 * What a gradient rule is: from the gradients of a node's outputs to those of its inputs, as nodes
 * of the same graph. A rule never sums over fan-out and never undoes broadcasting; the walk in
 * gradient.ts does both, in one place.
 */
import type { GraphBuilder, Node, Value } from "../onnx/index.ts";

export interface GradientContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  readonly attributes: Node["attributes"];
  /** Whether the input at `index` needs a gradient. Computing others is wasted work. */
  needs(index: number): boolean;
  /** The operand at `index`; an internal error when it is left out. */
  input(index: number): Value;
  optionalInput(index: number): Value | undefined;
  /** The forward output at `index`; asks the node for it where it was left out. */
  output(index: number): Value;
  /**
   * The gradient of output 0. Throws `no-gradient-rule` where one flows into another output: rules
   * of several outputs read `gradients`.
   */
  gradient: Value;
  gradients: readonly (Value | undefined)[];
  /** Throws `no-gradient-rule` with the reason: a form of the operator that has no gradient here. */
  unsupported(reason: string): never;
}

/** One gradient per input, in order; undefined where there is none (or none is needed). */
export type GradientRule = (context: GradientContext) => readonly (Value | undefined)[];
export type GradientTable = Readonly<Record<string, GradientRule>>;

/** The rule of operators through which no gradient flows: comparisons, rounding, shapes. */
export const noGradient: GradientRule = () => [];
