/** Removal of moves into the blocked layout and straight out of it, and the other way round. */
import { BLOCKED_DOMAIN, type Graph, type Node } from "../../onnx/index.ts";
import {
  isSameShape,
  outputNames,
  type Pass,
  producersOf,
  renameIn,
  resolved,
  staticShapeOf,
} from "./pass.ts";

const INVERSE: Readonly<Record<string, string>> = {
  ReorderInput: "ReorderOutput",
  ReorderOutput: "ReorderInput",
};

/** The layout in which channels come last has no inverse here. */
const isPlain = ({ domain, attributes }: Node): boolean =>
  domain === BLOCKED_DOMAIN && attributes.channels_last === undefined;

/**
 * A reorder of what the inverse reorder has made is the value before both, where no channel was left
 * out in between. The pair costs 7 ms for 46 MB on 2 cores: a step of `cnn` (150x150, batch 32) had
 * two of them, where max pooling wants the standard layout.
 */
export const cancelReorders: Pass = (graph: Graph) => {
  const producers = producersOf(graph);
  const results = outputNames(graph);
  const replacements = new Map<string, string>();
  const nodes = graph.nodes.filter((node) => {
    const [source] = node.inputs;
    const maker = producers.get(resolved(source ?? "", replacements));
    if (!maker || !isPlain(node) || !isPlain(maker)) return true;
    if (maker.operator !== INVERSE[node.operator] || results.has(node.outputs[0]!)) return true;
    const before = staticShapeOf(graph, maker.inputs[0]!);
    const after = staticShapeOf(graph, node.outputs[0]!);
    if (!before || !after || !isSameShape(before, after)) return true;
    replacements.set(node.outputs[0]!, resolved(maker.inputs[0]!, replacements));
    return false;
  });
  return { ...graph, nodes: renameIn(nodes, replacements) };
};
