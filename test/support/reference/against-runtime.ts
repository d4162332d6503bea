/** Checks kernels of the reference evaluator against ONNX Runtime in single precision. */
import { expect, it } from "vitest";
import { openSession } from "../../../src/onnx/index.node.ts";
import { expectClose } from "../close.ts";
import { drawCase, forwardOf, type OperatorCase, withoutCase } from "../operator-case.ts";
import { evaluate } from "./evaluate.ts";
import type { KernelTable } from "./kernel.ts";

/** Sums of at most some hundred products in single precision stay well below this. */
const ROUNDING = { ofLargest: 2e-6, relative: 2e-6 };

/** Declares a test for every case, and one that fails when a kernel of the table has none. */
export function checkAgainstRuntime(kernels: KernelTable, cases: readonly OperatorCase[]): void {
  it("has a case for every kernel", () => {
    expect(withoutCase(kernels, cases)).toEqual([]);
  });
  it.each(cases.map((entry) => [`${entry.operator}: ${entry.title}`, entry] as const))(
    "%s",
    async (_, entry) => {
      const drawn = drawCase(entry);
      const graph = forwardOf(drawn);
      expect(graph.nodes.map((node) => node.operator)).toContain(entry.operator);
      const session = await openSession(graph, { threads: 1 });
      const computed = await session.run(drawn.feeds);
      await session.close();
      const reference = evaluate(graph, drawn.feeds);
      for (const { name, type } of graph.outputs) {
        const actual = computed[name]!;
        expect(actual.type).toBe(type);
        expect(reference[name]!.type).toBe(type);
        const tolerance = type === "float32" ? ROUNDING : {};
        expectClose(actual, reference[name]!, tolerance, name);
      }
    },
  );
}
