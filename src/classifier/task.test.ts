import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import type { Sample, Task } from "../datasets/index.portable.ts";
import { openSession } from "../onnx/index.node.ts";
import { float32, graphBuilder } from "../onnx/index.ts";
import { logitCount, logitTargets, probabilitiesOf } from "./task.ts";

const TWO: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const TWO_REVERSED: Task = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };
const FINDINGS: Task = { kind: "findings", findings: ["Mass", "Nodule"] };

async function probabilities(task: Task, logits: readonly (readonly number[])[]) {
  const builder = graphBuilder();
  const dims = [logits.length, logits[0]!.length];
  const input = builder.input("logits", "float32", dims);
  builder.output(probabilitiesOf(input, task), "probabilities");
  const session = await openSession(builder.build(), { threads: 1 });
  const results = await session.run({ logits: float32(dims, logits.flat()) });
  await session.close();
  return results.probabilities!;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

describe("probabilitiesOf", () => {
  it("gives two classes in the order of the labels, from the positive one's logit", async () => {
    const rows = [-2, 0, 5].map((z) => [1 - sigmoid(z), sigmoid(z)]);
    const close = { absolute: 1e-7 };
    const logits = [[-2], [0], [5]];
    expectClose(await probabilities(TWO, logits), { dims: [3, 2], data: rows.flat() }, close, "p");
    const reversed = rows.flatMap((row) => row.toReversed());
    expectClose(
      await probabilities(TWO_REVERSED, logits),
      { dims: [3, 2], data: reversed },
      close,
      "p",
    );
  });

  it("gives several classes by softmax and findings each by a sigmoid", async () => {
    const exponentials = [1, 2, -1].map(Math.exp);
    const mass = exponentials.reduce((a, b) => a + b);
    const close = { absolute: 1e-7 };
    expectClose(
      await probabilities(THREE, [[1, 2, -1]]),
      { dims: [1, 3], data: exponentials.map((e) => e / mass) },
      close,
      "p",
    );
    expectClose(
      await probabilities(FINDINGS, [[1, -3]]),
      { dims: [1, 2], data: [sigmoid(1), sigmoid(-3)] },
      close,
      "p",
    );
  });
});

describe("logitTargets", () => {
  const sample = (target: Sample["target"]): Sample => ({
    key: "a.png",
    path: "a.png",
    split: null,
    target,
    patient: "a",
    columns: {},
  });

  it("has one target for two classes, that of the positive one", () => {
    expect(logitCount(TWO)).toBe(1);
    expect(logitTargets(sample([0, 1]), TWO)).toEqual({ targets: [1], weights: [1] });
    expect(logitTargets(sample([0, 1]), TWO_REVERSED)).toEqual({ targets: [0], weights: [1] });
  });

  it("has a target for each of several classes", () => {
    expect(logitCount(THREE)).toBe(3);
    expect(logitTargets(sample([0, 0, 1]), THREE)).toEqual({
      targets: [0, 0, 1],
      weights: [1, 1, 1],
    });
  });

  it("gives no weight to findings that are unknown", () => {
    expect(logitCount(FINDINGS)).toBe(2);
    expect(logitTargets(sample([null, 1]), FINDINGS)).toEqual({ targets: [0, 1], weights: [0, 1] });
  });
});
