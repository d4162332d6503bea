/**
 * Groups of nodes that are differentiated as one. A rule of the table sees one standard operator; a
 * group has a gradient of its own, shorter than what its nodes would give one by one.
 */
import { assert } from "../errors.ts";
import type { Value } from "../onnx/index.ts";

export interface CustomGradient {
  /** What the group reads and may have a gradient. */
  readonly inputs: readonly (Value | undefined)[];
  /** One gradient per input, in order; `needs` tells which are wanted. */
  rule(gradient: Value, needs: (index: number) => boolean): readonly (Value | undefined)[];
}

export interface CustomGradients {
  /** By the name of the value that the group makes. */
  readonly byOutput: ReadonlyMap<string, CustomGradient>;
  /** Names of all nodes of all groups. */
  readonly nodes: ReadonlySet<string>;
  /** The value that `body` makes; the nodes that it appends become one group with this gradient. */
  group(
    inputs: readonly [Value, ...(Value | undefined)[]],
    body: () => Value,
    rule: CustomGradient["rule"],
  ): Value;
}

export function customGradients(): CustomGradients {
  const byOutput = new Map<string, CustomGradient>();
  const nodes = new Set<string>();
  return {
    byOutput,
    nodes,
    group(inputs, body, rule) {
      const { builder } = inputs[0];
      const before = builder.nodes().length;
      const output = body();
      const made = builder.nodes().slice(before);
      assert(
        made.some(({ outputs }) => outputs[0] === output.name),
        `a group of nodes must make its value "${output.name}" itself`,
      );
      for (const node of made) nodes.add(node.name);
      byOutput.set(output.name, { inputs, rule });
      return output;
    },
  };
}
