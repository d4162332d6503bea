import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openSession } from "../src/onnx/index.node.ts";
import { filled, graphBuilder, operators as op } from "../src/onnx/index.ts";
import { readProfile } from "./profile-events.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-profile-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("profiles of ONNX Runtime", () => {
  it("name every node with its shapes, its share of the last runs and its arithmetic", async () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [2, 3, 8, 8]);
    const y = op.conv(x, builder.input("w", "float32", [5, 3, 3, 3]));
    const flat = op.reshape(y, [2, 180]);
    builder.output(op.matMul(flat, builder.input("m", "float32", [180, 7])), "out");
    const session = await openSession(builder.build("profiled"), {
      profilePrefix: join(folder, "profile"),
    });
    const feeds = {
      x: filled([2, 3, 8, 8], 1),
      w: filled([5, 3, 3, 3], 1),
      m: filled([180, 7], 1),
    };
    for (let run = 0; run < 5; run++) await session.run(feeds);
    await session.close();

    const profile = readProfile(join(folder, readdirSync(folder)[0]!), 2);
    expect(profile.steps).toBe(2);
    const conv = profile.nodes.find(({ operator }) => operator === "Conv")!;
    expect(conv.inputs).toEqual([
      [2, 3, 8, 8],
      [5, 3, 3, 3],
    ]);
    expect(conv.outputs).toEqual([[2, 5, 6, 6]]);
    expect(conv.gigaflops! * conv.milliseconds * 1e6).toBeCloseTo(2 * 2 * 5 * 6 * 6 * 27, 3);
    const product = profile.nodes.find(({ operator }) => operator === "MatMul")!;
    expect(product.gigaflops! * product.milliseconds * 1e6).toBeCloseTo(2 * 2 * 180 * 7, 3);
    const inNodes = profile.operators.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(inNodes).toBeLessThanOrEqual(profile.stepMilliseconds);
  });
});
