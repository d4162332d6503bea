/** What is in a model file. */
import { createHash } from "node:crypto";
import { carriedInitializers, packedBytes } from "./carried.ts";
import type { Graph, Model, ValueInfo } from "./graph.ts";
import { readTensor } from "./read-tensor.ts";
import { tensorBytes } from "./tensor.ts";

export interface Inspection {
  readonly inputs: readonly Pick<ValueInfo, "name" | "type" | "shape">[];
  readonly outputs: readonly Pick<ValueInfo, "name" | "type" | "shape">[];
  /** Nodes by operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** Elements of all initializers that are floats, or whole numbers of 8 bits that stand for some. */
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly opsets: Readonly<Record<string, number>>;
  readonly irVersion: number;
  readonly producer: string;
  readonly weightsSha256: string;
}

export function inspectModel({ graph, ...model }: Model): Inspection {
  const counts = new Map<string, number>();
  for (const { operator, domain } of graph.nodes) {
    const name = domain === "" ? operator : `${domain}.${operator}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const plain = ({ name, type, shape }: ValueInfo) => ({ name, type, shape });
  const tensors = [...graph.initializers.values()];
  return {
    inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(plain),
    outputs: graph.outputs.map(plain),
    operators: Object.fromEntries(
      [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
    ),
    parameters: tensors.reduce(
      (sum, { type, data }) => sum + (/float|int8/.test(type) ? data.length : 0),
      0,
    ),
    metadata: Object.fromEntries(model.metadata),
    opsets: Object.fromEntries(
      [...model.opsets].map(([domain, version]) => [domain || "ai.onnx", version]),
    ),
    irVersion: model.irVersion,
    producer: [model.producer.name, model.producer.version].filter(Boolean).join(" "),
    weightsSha256: weightsDigest(graph),
  };
}

/**
 * A digest of the graph's initializers by name, type, shape and little-endian contents, in byte
 * order of the names: equal for equal weights, however a file stores them.
 */
export function weightsDigest(graph: Graph): string {
  const dense = [...graph.initializers].map(([name, contents]) => ({
    name,
    head: [contents.type, contents.dims.map(String)] as const,
    parts: () => [tensorBytes(contents)],
  }));
  const carried = carriedInitializers(graph).map(({ name, tensors, dims, isSparse }) => ({
    name,
    head: [
      ...(isSparse ? ["sparse", dims.map(String)] : []),
      ...tensors.flatMap((tensor) => [tensor.dataType, tensor.dims.map(String)]),
    ],
    parts: () =>
      tensors.map((tensor) => {
        const contents = readTensor(tensor, { path: name, options: {} });
        return contents ? tensorBytes(contents) : packedBytes(tensor);
      }),
  }));
  const hash = createHash("sha256");
  const byName = [...dense, ...carried].sort((a, b) =>
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  for (const { name, head, parts } of byName) {
    hash.update(JSON.stringify([name, ...head]));
    for (const bytes of parts()) hash.update(bytes);
  }
  return hash.digest("hex");
}
