/**
 * The blocked copy of a forward graph. Convolutions of enough channels and what stands between them
 * are copied in the blocked layout; where an operator has no blocked form its operands go back to the
 * standard layout, and return when the next convolution asks for them.
 */
import {
  type Graph,
  type Node,
  operators as op,
  staticShape,
  type Value,
} from "../../onnx/index.ts";
import type { Assembly } from "../assembly.ts";
import { BLOCKED_FORMS } from "./forms.ts";
import { toBlocks } from "./layout.ts";

export interface BlockedValue {
  readonly value: Value;
  /** Without those that fill the last block. */
  readonly channels: number;
}

/** What the blocked forms of the operators share while a graph is copied. */
export interface BlockedCopy {
  readonly assembly: Assembly;
  readonly block: number;
  readonly forward: Graph;
  /** Takes the batch's statistics of a training norm. */
  track(node: Node, mean: Value, variance: Value): void;
  isTraining(node: Node): boolean;
  /** The value in blocks if it lies in blocks already. */
  known(name: string): BlockedValue | undefined;
  /** The value in blocks, put there if need be. */
  blocked(name: string): BlockedValue;
  /** The shape without filling. */
  shapeOf(name: string): number[];
  /** Says where the value that the forward graph calls `name` lies. */
  place(name: string, value: Value, channels: number): void;
  /** The only node that reads the value, unless the graph returns it too. */
  onlyConsumer(name: string): Node | undefined;
  /** Marks a node as copied together with another. */
  absorb(node: Node): void;
}

export interface BlockedCopier {
  /** Copies the node if it has a blocked form here; false leaves it to the caller. */
  copies(node: Node): boolean;
  /** Makes sure that these values exist in the standard layout. */
  restore(names: readonly string[]): void;
}

export function blockedCopier(
  assembly: Assembly,
  forward: Graph,
  options: Pick<BlockedCopy, "block" | "track" | "isTraining">,
): BlockedCopier {
  const { builder, customs } = assembly;
  const { block } = options;
  const placed = new Map<string, BlockedValue>();
  const absorbed = new Set<Node>();
  const results = new Set(forward.outputs.map(({ name }) => name));
  const consumers = new Map<string, Node[]>();
  for (const node of forward.nodes)
    for (const name of new Set(node.inputs))
      consumers.set(name, [...(consumers.get(name) ?? []), node]);

  const copy: BlockedCopy = {
    ...options,
    assembly,
    forward,
    known: (name) => placed.get(name),
    blocked(name) {
      const found = placed.get(name);
      if (found) return found;
      const x = builder.find(name)!;
      const channels = staticShape(x)[1]!;
      const value = customs.group(
        [x],
        () => toBlocks(x, block),
        (gradient) => [op.reorderOutput(gradient, channels)],
      );
      placed.set(name, { value, channels });
      return { value, channels };
    },
    shapeOf(name) {
      const found = placed.get(name);
      if (!found) return staticShape(builder.find(name)!);
      const [batch, , ...size] = staticShape(found.value);
      return [batch!, found.channels, ...size];
    },
    place: (name, value, channels) => placed.set(name, { value, channels }),
    onlyConsumer(name) {
      const [first, ...others] = consumers.get(name) ?? [];
      return others.length === 0 && !results.has(name) ? first : undefined;
    },
    absorb: (node) => absorbed.add(node),
  };

  return {
    copies(node) {
      if (absorbed.has(node)) return true;
      return node.domain === "" && (BLOCKED_FORMS[node.operator]?.(copy, node) ?? false);
    },
    restore(names) {
      for (const name of names) {
        const found = placed.get(name);
        if (!found || builder.find(name)) continue;
        customs.group(
          [found.value],
          () => op.reorderOutput(found.value, found.channels, name),
          (gradient) => [toBlocks(gradient, block)],
        );
      }
    },
  };
}
