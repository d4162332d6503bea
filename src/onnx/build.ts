/**
 * The builder: a mutable list of nodes that becomes a frozen graph. Operators (operators/) are
 * functions from values to values; each value knows its builder, so a network reads as a formula.
 */
import { assert, HilumError } from "../errors.ts";
import type { Attributes, Dimension, Graph, Node, Shape, ValueInfo } from "./graph.ts";
import { type Inferred, inferOutputs } from "./shapes/infer.ts";
import { type DataType, float32, int64, type Tensor, tensorBytes } from "./tensor.ts";

export interface Value {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
  /** The contents, where they are known while building (initializers and what folds to them). */
  readonly constant?: Tensor | undefined;
  /** The contents of a vector of dimensions that are not all numbers (of `Shape`). */
  readonly dimensions?: Shape | undefined;
  readonly builder: GraphBuilder;
}

export interface NodeOptions {
  readonly domain?: string;
  readonly name?: string;
  /** Names of the outputs, or how many there are; "" leaves an output out. */
  readonly outputs?: number | readonly string[];
  /** Types and shapes of the outputs where inference has no rule for the operator. */
  readonly results?: readonly { readonly type: DataType; readonly shape: Shape }[];
}

export interface GraphBuilder {
  input(name: string, type: DataType, shape: Shape): Value;
  /** A named initializer, such as a weight. */
  parameter(name: string, contents: Tensor): Value;
  /** An unnamed initializer; equal small ones are shared. */
  constant(contents: Tensor): Value;
  scalar(value: number): Value;
  integers(values: readonly number[]): Value;
  node(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes?: Attributes,
    options?: NodeOptions,
  ): Value[];
  /** Appends a node of an existing graph as it is, its value names included. */
  adopt(node: Node): Value[];
  /** Makes an appended node return `count` outputs; gives all of them. */
  extend(node: Node, count: number): Value[];
  /** The nodes so far, in order. */
  nodes(): readonly Node[];
  output(value: Value, name?: string): Value;
  /** The value of that name, or undefined. */
  find(name: string): Value | undefined;
  /** Names made inside `body` start with `prefix/`. */
  scope<T>(prefix: string, body: () => T): T;
  uniqueName(base: string): string;
  build(name?: string): Graph;
}

const SHARED_CONSTANT_BYTES = 256;

/** Whether the name is one that a builder gives its constants. */
export const isConstantName = (name: string): boolean => /(^|\/)constant(_\d+)?$/.test(name);

/**
 * An empty builder. `from` starts it with the inputs, initializers and nodes of a graph (not its
 * outputs). Names in `reserved` are never made up: they belong to nodes that are adopted later.
 */
export function graphBuilder(
  from?: Graph,
  reserved: ReadonlySet<string> = new Set(),
): GraphBuilder {
  const nodes: Node[] = [];
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const initializers = new Map<string, Tensor>();
  const values = new Map<string, Value>();
  const shared = new Map<string, Value>();
  const counters = new Map<string, number>();
  const nodeNames = new Set<string>();
  let prefix = "";

  const declare = (
    name: string,
    type: DataType,
    shape: Shape,
    { constant, dimensions }: Pick<Value, "constant" | "dimensions"> = {},
  ): Value => {
    if (values.has(name))
      throw new HilumError("graph-invalid", `The graph already has a value named "${name}".`);
    const value: Value = { name, type, shape, constant, dimensions, builder };
    values.set(name, value);
    return value;
  };

  const uniqueName = (base: string): string => {
    const stem = `${prefix}${base}`;
    let count = counters.get(stem) ?? 0;
    let name = count === 0 ? stem : `${stem}_${count}`;
    while (values.has(name) || nodeNames.has(name) || reserved.has(name))
      name = `${stem}_${++count}`;
    counters.set(stem, count + 1);
    return name;
  };

  const append = (node: Node, operands: (Value | undefined)[], options: NodeOptions): Value[] => {
    const results: readonly Inferred[] = options.results ?? inferOutputs(node, operands);
    nodes.push(node);
    nodeNames.add(node.name);
    return node.outputs.flatMap((name, index) => {
      if (name === "") return [];
      const result = results[index];
      assert(result, `no type was inferred for output ${index} of ${node.operator} "${node.name}"`);
      return [declare(name, result.type, result.shape, result)];
    });
  };

  const builder: GraphBuilder = {
    input(name, type, shape) {
      inputs.push({ name, type, shape });
      return declare(name, type, shape);
    },
    parameter(name, contents) {
      initializers.set(name, contents);
      return declare(name, contents.type, contents.dims, { constant: contents });
    },
    constant(contents) {
      const bytes = tensorBytes(contents);
      if (bytes.length > SHARED_CONSTANT_BYTES)
        return builder.parameter(uniqueName("constant"), contents);
      const key = `${contents.type}[${contents.dims}]${bytes.join(",")}`;
      const known = shared.get(key);
      if (known) return known;
      const made = builder.parameter(uniqueName("constant"), contents);
      shared.set(key, made);
      return made;
    },
    scalar: (value) => builder.constant(float32([], [value])),
    integers: (list) => builder.constant(int64([list.length], list)),
    node(operator, operands, attributes = {}, options = {}) {
      for (const operand of operands)
        assert(!operand || operand.builder === builder, `${operator} mixes values of two builders`);
      const wanted = options.outputs ?? 1;
      const name = options.name ?? uniqueName(operator);
      const outputNames =
        typeof wanted === "number"
          ? Array.from({ length: wanted }, (_, i) =>
              uniqueName(i === 0 ? `${operator}_y` : `${operator}_y${i}`),
            )
          : [...wanted];
      const node: Node = {
        name,
        operator,
        domain: options.domain ?? "",
        inputs: trimEnd(operands.map((operand) => operand?.name ?? "")),
        outputs: outputNames,
        attributes,
      };
      return append(node, [...operands], options);
    },
    adopt(node) {
      const operands = node.inputs.map((name) => {
        if (name === "") return undefined;
        const value = values.get(name);
        if (!value)
          throw new HilumError(
            "graph-invalid",
            `Node "${node.name}" (${node.operator}) reads "${name}", which nothing before it makes.`,
          );
        return value;
      });
      return append(node, operands, {});
    },
    extend(node, count) {
      const index = nodes.findIndex((candidate) => candidate.outputs[0] === node.outputs[0]);
      assert(index >= 0, `node "${node.name}" is not in this graph`);
      const current = nodes[index]!;
      const names = Array.from(
        { length: Math.max(count, current.outputs.length) },
        (_, i) => current.outputs[i] || uniqueName(`${node.name}_y${i}`),
      );
      const extended: Node = { ...current, outputs: names };
      nodes[index] = extended;
      const operands = extended.inputs.map((name) => values.get(name));
      const results = inferOutputs(extended, operands);
      return names.map(
        (name, i) => values.get(name) ?? declare(name, results[i]!.type, results[i]!.shape),
      );
    },
    nodes: () => nodes,
    output(value, name) {
      const target =
        name === undefined || name === value.name
          ? value
          : builder.node("Identity", [value], {}, { outputs: [name] })[0]!;
      outputs.push({ name: target.name, type: target.type, shape: target.shape });
      return target;
    },
    find: (name) => values.get(name),
    scope(name, body) {
      const outer = prefix;
      prefix = `${outer}${name}/`;
      try {
        return body();
      } finally {
        prefix = outer;
      }
    },
    uniqueName,
    build: (name = "hilum") => ({
      name,
      nodes: [...nodes],
      inputs: [...inputs],
      outputs: [...outputs],
      initializers: new Map(initializers),
      values: new Map(
        [...values.values()].map(({ name, type, shape }) => [name, { name, type, shape }]),
      ),
    }),
  };

  if (from) load(builder, from);
  return builder;
}

function load(builder: GraphBuilder, graph: Graph): void {
  for (const { name, type, shape } of graph.inputs) {
    if (graph.initializers.has(name)) continue;
    if (!type || !shape)
      throw new HilumError("graph-invalid", `Input "${name}" of the graph has no type or shape.`);
    builder.input(name, type, shape);
  }
  for (const [name, contents] of graph.initializers) builder.parameter(name, contents);
  for (const node of graph.nodes) builder.adopt(node);
}

function trimEnd(names: string[]): string[] {
  let length = names.length;
  while (length > 0 && names[length - 1] === "") length--;
  return names.slice(0, length);
}

/** The dimensions as numbers; throws `graph-invalid` where one is symbolic or unknown. */
export function staticShape(value: Pick<Value, "name" | "shape">): number[] {
  return value.shape.map((dim: Dimension) => {
    if (typeof dim !== "number")
      throw new HilumError(
        "graph-invalid",
        `"${value.name}" has shape [${value.shape.join(", ")}]: every dimension must be known here. Bind the symbolic ones first.`,
      );
    return dim;
  });
}
