/**
 * Shape inference: one rule per operator (the tables beside this file), and one function that looks
 * the rule up. A rule sees operand types, shapes and, where known, contents.
 */
import { HilumError } from "../../errors.ts";
import { type Attributes, BLOCKED_DOMAIN, type Node, type Shape } from "../graph.ts";
import type { DataType, Tensor } from "../tensor.ts";
import { ARITHMETIC_SHAPES } from "./arithmetic.ts";
import { BLOCKED_SHAPES } from "./blocked.ts";
import { CONTRACTION_SHAPES } from "./contraction.ts";
import { CONVOLUTION_SHAPES } from "./convolution.ts";
import { NORMALIZATION_SHAPES } from "./normalization.ts";
import { REARRANGEMENT_SHAPES } from "./rearrangement.ts";
import { REDUCTION_SHAPES } from "./reduction.ts";
import { RESIZING_SHAPES } from "./resizing.ts";

export interface Operand {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
  readonly constant?: Tensor | undefined;
  /** The contents of a vector of dimensions that are not all numbers. */
  readonly dimensions?: Shape | undefined;
}

export interface Inferred {
  readonly type: DataType;
  readonly shape: Shape;
  readonly constant?: Tensor;
  readonly dimensions?: Shape;
}

export interface ShapeContext {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly inputs: readonly (Operand | undefined)[];
  /** The operand at `index`; throws `graph-invalid` when it is left out. */
  operand(index: number): Operand;
  fail(problem: string): never;
}

export type ShapeRule = (context: ShapeContext) => readonly Inferred[];
export type ShapeTable = Readonly<Record<string, ShapeRule>>;

const RULES: ShapeTable = {
  ...ARITHMETIC_SHAPES,
  ...CONTRACTION_SHAPES,
  ...CONVOLUTION_SHAPES,
  ...NORMALIZATION_SHAPES,
  ...REDUCTION_SHAPES,
  ...REARRANGEMENT_SHAPES,
  ...RESIZING_SHAPES,
};

const RULES_BY_DOMAIN: Readonly<Record<string, ShapeTable>> = {
  "": RULES,
  [BLOCKED_DOMAIN]: BLOCKED_SHAPES,
};

/** Operators whose outputs' types and shapes can be inferred. */
export const INFERABLE_OPERATORS: ReadonlySet<string> = new Set(Object.keys(RULES));

/** Types and shapes of the node's outputs. Throws `operator-unsupported` or `graph-invalid`. */
export function inferOutputs(
  node: Node,
  inputs: readonly (Operand | undefined)[],
): readonly Inferred[] {
  const rule = RULES_BY_DOMAIN[node.domain]?.[node.operator];
  if (!rule)
    throw new HilumError(
      "operator-unsupported",
      `Cannot infer the shape of operator "${node.operator}" (node "${node.name}"). Add a rule in onnx/shapes.`,
      { operator: node.operator, node: node.name, domain: node.domain },
    );
  const fail = (problem: string): never => {
    throw new HilumError("graph-invalid", `${node.operator} "${node.name}": ${problem}.`, {
      operator: node.operator,
      node: node.name,
    });
  };
  return rule({
    node,
    inputs,
    attributes: node.attributes,
    operand: (index) => inputs[index] ?? fail(`input ${index} is missing`),
    fail,
  });
}
