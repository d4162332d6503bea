import { describe, expect, it } from "vitest";
import { blockedChannels } from "./blocked.node.ts";
import { graphBuilder } from "./build.ts";
import { reorderInput, reorderOutput } from "./operators/index.ts";
import { openSession } from "./session.node.ts";
import { float32 } from "./tensor.ts";

const block = await blockedChannels();

describe("blockedChannels", () => {
  it("is a size that ONNX Runtime knows", () => {
    expect([0, 8, 16]).toContain(block);
  });

  it.skipIf(block === 0)("tells how memory is laid out", async () => {
    const dims = [2, 2 * block, 1, 3];
    const builder = graphBuilder();
    const blocks = reorderInput(builder.input("x", "float32", dims));
    builder.output(blocks, "blocks");
    builder.output(reorderOutput(blocks, 2 * block), "again");
    const session = await openSession(builder.build(), { threads: 1 });
    const x = Float32Array.from({ length: 12 * block }, (_, index) => index);
    const { blocks: got, again } = await session.run({ x: float32(dims, x) });
    await session.close();
    expect([...again!.data]).toEqual([...x]);
    // Image 1, channel block + 2, position 1.
    const standard = (2 * block + block + 2) * 3 + 1;
    expect(got!.data[((2 + 1) * 3 + 1) * block + 2]).toBe(standard);
  });
});
