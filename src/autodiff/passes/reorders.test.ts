import { describe, expect, it } from "vitest";
import { expectSameResults, operatorCounts } from "../../../test/support/same-results.ts";
import { blockedChannels } from "../../onnx/index.node.ts";
import { graphBuilder, operators as op } from "../../onnx/index.ts";
import { removeDeadNodes } from "./dead-nodes.ts";
import { cancelReorders } from "./reorders.ts";

const block = await blockedChannels();

describe.skipIf(block === 0)("cancelReorders", () => {
  it("removes a way into blocks and back, and the other way round", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, block, 3, 2]);
    const back = op.relu(op.reorderOutput(op.reorderInput(op.neg(x)), block));
    builder.output(op.reorderOutput(op.relu(op.reorderInput(back)), block), "y");
    const blocks = op.neg(op.reorderInput(x));
    const again = op.reorderInput(op.reorderOutput(blocks, block));
    builder.output(op.reorderOutput(op.relu(again), block), "z");
    const graph = builder.build();
    const after = removeDeadNodes(cancelReorders(graph));
    expect(operatorCounts(graph)).toMatchObject({ ReorderInput: 4, ReorderOutput: 4 });
    expect(operatorCounts(after)).toMatchObject({ ReorderInput: 2, ReorderOutput: 2 });
    await expectSameResults(after, graph);
  });

  it("keeps a way that leaves channels out, and one that makes an output", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, block, 3, 2]);
    const fewer = op.reorderOutput(op.reorderInput(x), block - 1);
    builder.output(op.relu(fewer), "y");
    builder.output(op.reorderOutput(op.reorderInput(op.neg(x)), block, "z"));
    const graph = builder.build();
    const after = cancelReorders(graph);
    expect(operatorCounts(after)).toEqual(operatorCounts(graph));
    await expectSameResults(after, graph);
  });
});
