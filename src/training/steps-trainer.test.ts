import { expect, it } from "vitest";
import {
  adamW,
  binaryCrossEntropy,
  type Optimizer,
  sgd,
  trainingGraph,
} from "../autodiff/index.ts";
import { float32, graphBuilder, operators as op, type Tensor } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { openStepsTrainer } from "./steps-trainer.ts";
import { openTrainer } from "./trainer.ts";

const [ROWS, BATCH, WIDTH, STEPS] = [30, 8, 20, 7];
const random = randomStream(3, "steps-trainer");
const drawn = (length: number) => Float32Array.from({ length }, () => random.normal());

function training(optimizer: Optimizer) {
  const builder = graphBuilder();
  const rows = builder.input("rows", "float32", [ROWS, WIDTH]);
  const x = op.gather(rows, builder.input("at", "int32", [BATCH]));
  const weight = builder.parameter("weight", float32([1, WIDTH], drawn(WIDTH)));
  const bias = builder.parameter("bias", float32([1], [0.1]));
  const logits = op.gemm(x, weight, bias, { transB: true });
  const targets = builder.input("targets", "float32", [BATCH, 1]);
  const weights = builder.input("weights", "float32", [BATCH, 1]);
  builder.output(binaryCrossEntropy()({ logits, targets, weights }), "loss");
  return trainingGraph(builder.build("small"), { optimizer, averages: true });
}

const rows = float32([ROWS, WIDTH], drawn(ROWS * WIDTH));
const at = Int32Array.from({ length: STEPS * BATCH }, () => random.integer(ROWS));
const labels = {
  targets: drawn(STEPS * BATCH).map((value) => Number(value > 0)),
  weights: new Float32Array(STEPS * BATCH).fill(1),
};
const CONTROLS = {
  learningRate: (step: number) => 0.1 / step,
  step: (step: number) => step,
  averageDecay: (step: number) => step / (step + 3),
};

/** Of the steps from one to before another, counted from 0. */
function stacked(from: number, to: number): Record<string, Tensor> {
  const count = to - from;
  const labelled = Object.entries(labels).map(([name, values]) => [
    name,
    float32([count, BATCH, 1], values.subarray(from * BATCH, to * BATCH)),
  ]);
  const controls = Object.entries(CONTROLS).map(([name, value]) => [
    name,
    float32(
      [count],
      Array.from({ length: count }, (_, step) => value(from + step + 1)),
    ),
  ]);
  return {
    rows,
    at: { type: "int32", dims: [count, BATCH], data: at.subarray(from * BATCH, to * BATCH) },
    ...Object.fromEntries([...labelled, ...controls]),
  };
}

/** Of one step: what is stacked without its first axis. */
function single(step: number): Record<string, Tensor> {
  const each = Object.entries(stacked(step, step + 1)).map(([name, value]) => [
    name,
    name === "rows" ? value : { ...value, dims: value.dims.slice(1) },
  ]);
  return Object.fromEntries(each);
}

it.each([
  ["AdamW", adamW({ weightDecay: 0.1 })],
  ["SGD", sgd({ momentum: 0.9 })],
])("trains by %s as single steps do, to the last bit", async (_, optimizer) => {
  const graph = training(optimizer);
  const one = await openTrainer(graph, { threads: 1 });
  const many = await openStepsTrainer(graph, { threads: 1, shared: ["rows"] });
  const expected: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const controls = Object.entries(CONTROLS).map(([name, value]) => [name, value(step + 1)]);
    const { loss } = await one.step(single(step), Object.fromEntries(controls));
    expected.push(loss!.data[0] as number);
  }
  const losses = [...(await many.advance(stacked(0, 4))), ...(await many.advance(stacked(4, 7)))];
  const plain = (state: ReadonlyMap<string, Tensor>) =>
    [...state].map(([name, { dims, data }]) => ({ name, dims, data }));
  expect(losses).toEqual(expected);
  expect(plain(many.state())).toEqual(plain(one.state()));
  expect(plain(many.state())).not.toEqual(
    graph.state.map(({ name, initial: { dims, data } }) => ({ name, dims, data })),
  );
  await one.close();
  await many.close();
});
