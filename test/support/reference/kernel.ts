/** What the evaluator asks of an operator: from operand arrays to result arrays. */
import type { Attributes, Graph, Node } from "../../../src/onnx/index.ts";
import { type NdArray, numbersOf } from "./array.ts";

export interface Operation {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly inputs: readonly (NdArray | undefined)[];
  /** The operand at `index`; throws when it is left out. */
  input(index: number): NdArray;
  /** The operand at `index` as plain numbers, such as axes or sizes; undefined when left out. */
  numbers(index: number): number[] | undefined;
}

/** The outputs in order; more of them than the node names is fine. */
export type Kernel = (operation: Operation) => readonly NdArray[];
export type KernelTable = Readonly<Record<string, Kernel>>;

export function operationOf(
  node: Graph["nodes"][number],
  inputs: readonly (NdArray | undefined)[],
): Operation {
  return {
    node,
    attributes: node.attributes,
    inputs,
    input(index) {
      const operand = inputs[index];
      if (!operand) throw new RangeError(`${node.operator} "${node.name}" lacks input ${index}`);
      return operand;
    },
    numbers(index) {
      const operand = inputs[index];
      return operand && Array.from(numbersOf(operand));
    },
  };
}
