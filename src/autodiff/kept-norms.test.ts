import { describe, expect, it } from "vitest";
import { expectClose } from "../../test/support/close.ts";
import { blockedChannels } from "../onnx/index.node.ts";
import { float32, type Graph, graphBuilder, operators as op, type Value } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { openTrainer } from "../training/trainer.ts";
import { sgd } from "./optimizers/sgd.ts";
import { trainingGraph } from "./training-graph.ts";

const CHANNELS = 32;
const random = randomStream(9, "kept-norms");
const drawn = (dims: readonly number[], low = -0.5, high = 0.5) => {
  const length = dims.reduce((a, b) => a * b, 1);
  return float32(
    dims,
    Float32Array.from({ length }, () => random.between(low, high)),
  );
};
const x = drawn([2, CHANNELS, 6, 6]);
const vectors = [0.5, -0.5, -0.5, 0.5].map((low) => drawn([CHANNELS], low, low + 1));
const weights = [drawn([CHANNELS, CHANNELS, 3, 3]), drawn([CHANNELS, 1, 3, 3]), drawn([CHANNELS])];

/** Two convolutions with norms, an activation and a shortcut; `isRead` gives away what lies between. */
function network(isRead: boolean): Graph {
  const builder = graphBuilder();
  const input = builder.input("x", "float32", x.dims);
  const norm = (y: Value, name: string) => {
    if (isRead) builder.output(y, `${name}-read`);
    const [scale, bias, mean, variance] = (["scale", "bias", "mean", "variance"] as const).map(
      (part, index) => builder.parameter(`${name}.${part}`, vectors[index]!),
    );
    const parts = { scale: scale!, bias: bias!, mean: mean!, variance: variance! };
    return op.batchNormalization(y, parts, { epsilon: 1e-3 });
  };
  const [whole, depthwise, bias] = weights.map((contents, index) =>
    builder.parameter(`w${index}`, contents),
  );
  const pads = { pads: [1, 1, 1, 1] };
  const first = op.relu(norm(op.conv(input, whole!, undefined, pads), "first"));
  const second = norm(op.conv(first, depthwise!, bias, { ...pads, group: CHANNELS }), "second");
  const y = op.relu(op.add(second, first));
  builder.output(op.reduceMean(op.mul(y, y), { keepsDims: false }), "loss");
  return builder.build();
}

async function stepped(isRead: boolean, block: number) {
  const training = trainingGraph(network(isRead), {
    optimizer: sgd({ momentum: 0, weightDecay: 0 }),
    keepsStatistics: () => true,
    block,
  });
  const trainer = await openTrainer(training, { threads: 1 });
  await trainer.step({ x }, { learningRate: 1, step: 1 });
  const state = trainer.state();
  await trainer.close();
  const norms = training.graph.nodes.filter(({ operator }) => operator === "BatchNormalization");
  return { state, norms: norms.length };
}

describe("norms that keep their statistics", () => {
  it("are part of the convolution before them, and train as they would on their own", async () => {
    const apart = await stepped(true, 0);
    expect(apart.norms).toBeGreaterThanOrEqual(2);
    for (const block of new Set([0, await blockedChannels()])) {
      const folded = await stepped(false, block);
      expect(folded.norms).toBe(0);
      expect([...folded.state.keys()]).toEqual([...apart.state.keys()]);
      for (const [name, value] of folded.state)
        expectClose(value, apart.state.get(name)!, { ofLargest: 2e-6 }, `${name}, ${block}`);
      expect(folded.state.get("first.scale")!.data).not.toEqual(vectors[0]!.data);
    }
  });
});
