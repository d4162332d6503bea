import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { graphBuilder, operators as op } from "../../onnx/index.ts";
import { removeCopies } from "./copies.ts";

describe("removal of copies", () => {
  it("lets readers read what was copied", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3]);
    const y = op.identity(op.identity(x));
    builder.output(op.relu(op.reshape(y, [2, 3])), "y");
    const graph = builder.build();
    const lean = removeCopies(graph);
    expect(operatorCounts(lean)).toEqual({ Relu: 1 });
    await expectSameResults(lean, graph);
  });

  it("gives an output's name to the value that it copies, for all its readers", async () => {
    const builder = graphBuilder();
    const y = op.relu(builder.input("x", "float32", [4]));
    builder.output(op.neg(y), "negative");
    builder.output(y, "y");
    const graph = builder.build();
    const lean = removeCopies(graph);
    expect(operatorCounts(lean)).toEqual({ Relu: 1, Neg: 1 });
    await expectSameResults(lean, graph);
  });

  it("keeps a copy that makes a second output, or an output of an input", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [4]);
    const y = op.relu(x);
    builder.output(y, "first");
    builder.output(y, "second");
    builder.output(x, "same");
    const graph = builder.build();
    const lean = removeCopies(graph);
    expect(operatorCounts(lean)).toEqual({ Relu: 1, Identity: 2 });
    await expectSameResults(lean, graph);
  });

  it("counts transposes that keep the order and sums of one term as copies", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3]);
    const y = op.sum(op.transpose(op.abs(x), [0, 1]));
    builder.output(op.transpose(op.concat([y], 0), [1, 0]), "y");
    const graph = builder.build();
    const lean = removeCopies(graph);
    expect(operatorCounts(lean)).toEqual({ Abs: 1, Transpose: 1 });
    await expectSameResults(lean, graph);
  });
});
