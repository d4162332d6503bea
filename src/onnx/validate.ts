/** What must hold in any graph: every value is made once, before it is read. */
import { HilumError } from "../errors.ts";
import { carriedInitializers } from "./carried.ts";
import type { Graph, Node } from "./graph.ts";

/** The values that a node may read: those of its own graph so far, and of the graphs around it. */
interface Scope {
  readonly made: Set<string>;
  readonly outer: Scope | undefined;
}

const isVisible = (name: string, scope: Scope | undefined): boolean =>
  scope !== undefined && (scope.made.has(name) || isVisible(name, scope.outer));

/** Throws `model-malformed` naming the node when a value is missing, made twice or read too early. */
export function validateGraph(graph: Graph, name = "The model"): void {
  validateWithin(graph, name, "graph", undefined);
}

function validateWithin(graph: Graph, name: string, path: string, outer: Scope | undefined): void {
  const fail = (part: string, problem: string): never => {
    const place = `${path}.${part}`;
    throw new HilumError(
      "model-malformed",
      `${name}: ${place}: ${problem}. Export the model again, or correct the graph.`,
      { file: name, place, problem },
    );
  };
  const made = new Set(graph.inputs.map((input) => input.name));
  if (made.size !== graph.inputs.length) fail("input", "two inputs share a name");
  for (const initializer of graph.initializers.keys()) made.add(initializer);
  for (const initializer of carriedInitializers(graph)) made.add(initializer.name);
  const scope: Scope = { made, outer };
  const makers = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) makers.set(output, index);
  });
  graph.nodes.forEach((node, index) => {
    const part = `node[${index}] (${node.operator} "${node.name}")`;
    for (const input of node.inputs) {
      if (input === "" || isVisible(input, scope)) continue;
      const maker = makers.get(input);
      fail(
        part,
        maker === undefined
          ? `it reads "${input}", which nothing makes`
          : `it reads "${input}", which only node[${maker}] makes: the nodes form a cycle or are out of order`,
      );
    }
    for (const [attribute, inner] of subgraphs(node))
      validateWithin(inner, name, `${path}.${part}.${attribute}`, scope);
    for (const output of node.outputs) {
      if (output === "") continue;
      if (made.has(output)) fail(part, `it makes "${output}", which exists already`);
      made.add(output);
    }
  });
  graph.outputs.forEach((output, index) => {
    if (!isVisible(output.name, scope)) fail(`output[${index}]`, `nothing makes "${output.name}"`);
  });
}

function subgraphs(node: Node): [string, Graph][] {
  return Object.entries(node.attributes).flatMap(([name, attribute]): [string, Graph][] =>
    attribute.kind === "graph" ? [[name, attribute.value]] : [],
  );
}
