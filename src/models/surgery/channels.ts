/** Follows a grey image through a graph, from its input to its first convolutions. */
import type { Graph } from "../../onnx/index.ts";
import { GREY_RULES, type GreyChannels } from "./channel-rules.ts";

/** The values that are grey channels, by name; the nodes that make them have no other purpose. */
export function greyChannels(
  graph: Graph,
  input: string,
  channels: GreyChannels,
): ReadonlyMap<string, GreyChannels> {
  const known = new Map([[input, channels]]);
  for (const node of graph.nodes) {
    const rule = node.domain === "" ? GREY_RULES[node.operator] : undefined;
    const made = rule?.(
      node,
      (index) => known.get(node.inputs[index] ?? ""),
      (index) => graph.initializers.get(node.inputs[index] ?? ""),
    );
    if (made && node.outputs.length === 1) known.set(node.outputs[0]!, made);
  }
  return known;
}
