import { describe, expect, it } from "vitest";
import { graphBuilder } from "./build.ts";
import { relu, reshapeTo } from "./operators/index.ts";
import { openWritingSession } from "./session.node.ts";
import { float32, int64, type Tensor } from "./tensor.ts";

function graph() {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", [4]);
  builder.output(relu(x), "y");
  builder.output(reshapeTo(x, builder.input("shape", "int64", [1])), "z");
  return builder.build();
}

describe("openWritingSession", () => {
  it("writes every output to the memory given", async () => {
    const session = await openWritingSession(graph(), { threads: 1 });
    const into = {
      y: float32([4], new Float32Array(4).fill(9)),
      z: float32([4], new Float32Array(4).fill(9)),
    };
    for (const first of [1, -2, 3]) {
      const x = float32([4], [first, -1, 0, 2]);
      await session.write({ x, shape: int64([1], [4]) }, into);
      expect([...into.y.data]).toEqual([Math.max(0, first), 0, 0, 2]);
      expect([...into.z.data]).toEqual([first, -1, 0, 2]);
    }
    expect(session.outputNames).toEqual(["y", "z"]);
    await session.close();
  });

  it("reads what it wrote, as it is by then", async () => {
    const session = await openWritingSession(graph(), { threads: 1 });
    const shape = int64([1], [4]);
    const [first, second] = [1, 2].map(() => float32([4], new Float32Array(4))) as [Tensor, Tensor];
    const z = float32([4], new Float32Array(4));
    await session.write({ x: float32([4], [1, -1, 2, 3]), shape }, { y: first, z });
    (first.data as Float32Array).set([5, -5, 6, -6]);
    await session.write({ x: first, shape }, { y: second, z });
    expect([...second.data]).toEqual([5, 0, 6, 0]);
    expect([...z.data]).toEqual([5, -5, 6, -6]);
    await session.write({ x: second, shape }, { y: first, z });
    expect([...first.data]).toEqual([5, 0, 6, 0]);
    await session.close();
  });

  it("throws what goes wrong in the run", async () => {
    const session = await openWritingSession(graph(), { threads: 1 });
    const into = { y: float32([4], new Float32Array(4)), z: float32([4], new Float32Array(4)) };
    const run = session.write({ x: float32([4], [1, 2, 3, 4]), shape: int64([1], [5]) }, into);
    await expect(run).rejects.toThrow(/Reshape|reshape/);
    await session.close();
  });
});
