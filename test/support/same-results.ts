/** The proof that a rewritten graph computes what the original does: both run, to the bit. */
import { expect } from "vitest";
import { openSession } from "../../src/onnx/index.node.ts";
import { float32, type Graph, sizeOf, type Tensor } from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";
import { expectClose } from "./close.ts";

/** Seeded normal numbers for every input; each has a static shape and is float32. */
function feedsOf(graph: Graph): Record<string, Tensor> {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const random = randomStream(1, "same-results", name);
      const dims = (shape ?? []).map(Number);
      const values = Float32Array.from({ length: sizeOf(dims) }, () => random.normal());
      return [name, float32(dims, values)];
    }),
  );
}

async function resultsOf(graph: Graph): Promise<Record<string, Tensor>> {
  // The runtime's own rewrites are off, so that it runs what is in the graph.
  const session = await openSession(graph, { threads: 1, optimization: "disabled" });
  const results = await session.run(feedsOf(graph));
  await session.close();
  return results;
}

/** Fails the test unless both graphs have the same outputs with equal results on seeded inputs. */
export async function expectSameResults(actual: Graph, expected: Graph): Promise<void> {
  const [got, want] = [await resultsOf(actual), await resultsOf(expected)];
  expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
  for (const [name, values] of Object.entries(want)) expectClose(got[name]!, values, {}, name);
}

/** How often each operator occurs. */
export function operatorCounts(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operator } of graph.nodes) counts[operator] = (counts[operator] ?? 0) + 1;
  return counts;
}
