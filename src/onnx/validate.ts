/** What must hold in any graph: every value is made once, before it is read. */
import { HilumError } from "../errors.ts";
import type { Graph, Node } from "./graph.ts";

/** Throws `model-malformed` naming the node when a value is missing, made twice or read too early. */
export function validateGraph(
  graph: Graph,
  name = "The model",
  outer: ReadonlySet<string> = new Set(),
): void {
  const fail = (place: string, problem: string): never => {
    throw new HilumError("model-malformed", `${name}: ${place}: ${problem}.`, { place, problem });
  };
  const made = new Set(graph.inputs.map((input) => input.name));
  if (made.size !== graph.inputs.length) fail("graph.input", "two inputs share a name");
  for (const initializer of graph.initializers.keys()) made.add(initializer);
  for (const initializer of carriedNames(graph)) made.add(initializer);
  const places = new Map<string, number>();
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) if (output !== "") places.set(output, index);
  });
  graph.nodes.forEach((node, index) => {
    const place = `graph.node[${index}] (${node.operator} "${node.name}")`;
    for (const input of node.inputs) {
      if (input === "" || made.has(input) || outer.has(input)) continue;
      const later = places.get(input);
      fail(
        place,
        later === undefined
          ? `it reads "${input}", which nothing makes`
          : `it reads "${input}", which only node[${later}] makes: the nodes form a cycle or are out of order`,
      );
    }
    for (const inner of subgraphs(node)) validateGraph(inner, name, new Set([...outer, ...made]));
    for (const output of node.outputs) {
      if (output === "") continue;
      if (made.has(output)) fail(place, `it makes "${output}", which exists already`);
      made.add(output);
    }
  });
  for (const output of graph.outputs)
    if (!made.has(output.name) && !outer.has(output.name))
      fail("graph.output", `nothing makes "${output.name}"`);
}

function subgraphs(node: Node): Graph[] {
  return Object.values(node.attributes).flatMap((attribute) =>
    attribute.kind === "graph" ? [attribute.value] : [],
  );
}

/** Initializers that are carried through without being modelled: sparse ones, unusual types. */
function carriedNames(graph: Graph): string[] {
  const proto = graph.extra as
    | { initializer: { name: string }[]; sparseInitializer: { values?: { name: string } }[] }
    | undefined;
  if (!proto) return [];
  return [
    ...proto.initializer.map(({ name }) => name),
    ...proto.sparseInitializer.map(({ values }) => values?.name ?? ""),
  ];
}
