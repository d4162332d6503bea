/** Rewrites of a graph that change no result, each a small named pass. */
import type { Graph } from "../../onnx/index.ts";
import { foldConstants } from "./constants.ts";
import { removeCopies } from "./copies.ts";
import { removeDeadNodes } from "./dead-nodes.ts";
import { shareConstants, shareSubexpressions } from "./duplicates.ts";
import { readUnexpanded } from "./expansions.ts";
import { mergeReshapes, mergeTransposes } from "./moves.ts";
import type { Pass } from "./pass.ts";
import { poolBeforeActivation } from "./pooling-order.ts";
import { cancelReorders } from "./reorders.ts";

export type { Pass } from "./pass.ts";
export {
  cancelReorders,
  foldConstants,
  mergeReshapes,
  mergeTransposes,
  poolBeforeActivation,
  readUnexpanded,
  removeCopies,
  removeDeadNodes,
  shareConstants,
  shareSubexpressions,
};

/** Before differentiation: what makes the gradient smaller as well. */
export const FORWARD_PASSES: readonly Pass[] = [poolBeforeActivation];

/** Of a finished training graph. */
export const DEFAULT_PASSES: readonly Pass[] = [
  readUnexpanded,
  foldConstants,
  shareConstants,
  mergeTransposes,
  mergeReshapes,
  cancelReorders,
  removeCopies,
  shareSubexpressions,
  removeDeadNodes,
];

/** The graph after every pass in order: equal results. A graph with subgraphs is left as it is. */
export function optimizeGraph(graph: Graph, passes: readonly Pass[] = DEFAULT_PASSES): Graph {
  const hasSubgraph = graph.nodes.some((node) =>
    Object.values(node.attributes).some(({ kind }) => kind === "graph" || kind === "other"),
  );
  return hasSubgraph ? graph : passes.reduce((current, pass) => pass(current), graph);
}
