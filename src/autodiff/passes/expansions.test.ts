import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { graphBuilder, operators as op } from "../../onnx/index.ts";
import { removeDeadNodes } from "./dead-nodes.ts";
import { readUnexpanded } from "./expansions.ts";

describe("reading what was expanded", () => {
  it("skips an expansion that broadcasting repeats", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3, 4, 4]);
    const gradient = builder.input("gradient", "float32", [2, 3, 1, 1]);
    builder.output(op.mul(op.expand(gradient, [2, 3, 4, 4]), op.abs(x)), "y");
    const graph = builder.build();
    const lean = removeDeadNodes(readUnexpanded(graph));
    expect(operatorCounts(lean)).toEqual({ Abs: 1, Mul: 1, Identity: 1 });
    await expectSameResults(lean, graph);
  });

  it("keeps one of two expansions that only together give the shape", async () => {
    const builder = graphBuilder();
    const [row, column] = [
      [1, 3],
      [2, 1],
    ].map((dims, index) => op.expand(builder.input(`x${index}`, "float32", dims), [2, 2, 3]));
    builder.output(op.add(row!, column!), "y");
    const graph = builder.build();
    const lean = removeDeadNodes(readUnexpanded(graph));
    expect(operatorCounts(lean)).toEqual({ Expand: 1, Add: 1, Identity: 1 });
    await expectSameResults(lean, graph);
  });
});
