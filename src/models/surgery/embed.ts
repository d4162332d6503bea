/** A graph placed inside another: what turns a backbone into a function from a value to a value. */
import { HilumError } from "../../errors.ts";
import {
  type Graph,
  type GraphBuilder,
  isConstantName,
  type Tensor,
  type Value,
} from "../../onnx/index.ts";

/**
 * Appends the nodes of `graph` to the builder, with the values given for its inputs by name; returns
 * the values of its outputs by name. Parameters keep their names; one that the builder has already,
 * and everything else, is called `prefix/NAME`. Shapes are inferred anew from those of the inputs.
 * Throws `graph-invalid` where an input is not given or the nodes do not fit it.
 */
export function embedGraph(
  builder: GraphBuilder,
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  { prefix = "backbone" }: { readonly prefix?: string } = {},
): Readonly<Record<string, Value>> {
  const names = new Map([["", ""]]);
  for (const { name } of graph.inputs) {
    if (graph.initializers.has(name)) continue;
    const given = inputs[name];
    if (!given)
      throw new HilumError("graph-invalid", `No value is given for input "${name}" of the graph.`);
    names.set(name, given.name);
  }
  builder.scope(prefix, () => {
    for (const [name, contents] of graph.initializers)
      names.set(name, initializer(builder, name, contents).name);
    for (const node of graph.nodes) {
      const made = node.outputs.filter((name) => name !== "");
      for (const name of made) names.set(name, builder.uniqueName(name));
      const renamed = (name: string) => names.get(name) ?? name;
      builder.adopt({
        ...node,
        name: builder.uniqueName(node.name || node.operator),
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      });
    }
  });
  return Object.fromEntries(
    graph.outputs.map(({ name }) => [name, builder.find(names.get(name) ?? name)!]),
  );
}

function initializer(builder: GraphBuilder, name: string, contents: Tensor): Value {
  if (isConstantName(name)) return builder.constant(contents);
  return builder.parameter(builder.find(name) ? builder.uniqueName(name) : name, contents);
}
