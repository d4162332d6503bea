/** What is in a model file. */
import { createHash } from "node:crypto";
import type { Model, ValueInfo } from "./graph.ts";
import { type Tensor, tensorBytes } from "./tensor.ts";

export interface Inspection {
  readonly inputs: readonly Pick<ValueInfo, "name" | "type" | "shape">[];
  readonly outputs: readonly Pick<ValueInfo, "name" | "type" | "shape">[];
  /** Nodes by operator, most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  /** Elements of all floating-point initializers. */
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
      (sum, { type, data }) => sum + (type.includes("float") ? data.length : 0),
      0,
    ),
    metadata: Object.fromEntries(model.metadata),
    opsets: Object.fromEntries(
      [...model.opsets].map(([domain, version]) => [domain || "ai.onnx", version]),
    ),
    irVersion: model.irVersion,
    producer: [model.producer.name, model.producer.version].filter(Boolean).join(" "),
    weightsSha256: weightsDigest(graph.initializers),
  };
}

/**
 * A digest of all initializers by name, type, shape and little-endian contents, in byte order of
 * the names: equal for equal weights, however a file stores them.
 */
export function weightsDigest(initializers: ReadonlyMap<string, Tensor>): string {
  const hash = createHash("sha256");
  const byName = [...initializers].sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  for (const [name, contents] of byName) {
    hash.update(JSON.stringify([name, contents.type, contents.dims]));
    hash.update(tensorBytes(contents));
  }
  return hash.digest("hex");
}
