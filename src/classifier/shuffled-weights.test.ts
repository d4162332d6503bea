import { expect, it } from "vitest";
import { networkEntry } from "../models/index.ts";
import { openSession, readModelFile } from "../onnx/index.node.ts";
import type { Model, Tensor } from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { flipAveraged } from "./flip-averaged.ts";
import { withGate } from "./gate/with-gate.ts";
import { withHeatMap } from "./heat-map.ts";
import { weightLayers, withShuffledWeights } from "./shuffled-weights.ts";
import { withStoredWeights } from "./stored-weights.ts";

const LAYERS = ["conv0.weight", "conv1.weight", "conv2.weight", "dense.weight", "head.weight"];
const SIDE = 64;
const FILM = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (i * 7919) % 251);

async function finishedClassifier(): Promise<Model> {
  const network = networkEntry("cnn").build({ width: 0.25, depth: 1, seed: 3 });
  const plain = assembleClassifier(network, new Map(), {
    task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
    input: { size: 32, fit: "squash", normalization: "standardize", window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  });
  const gated = withGate(
    withHeatMap(flipAveraged(plain), {}),
    await readModelFile("models/gate.onnx"),
  );
  return withStoredWeights(gated, "float16");
}

async function run(model: Model) {
  const session = await openSession(model);
  try {
    return await session.run({ images: { type: "uint8", dims: [1, SIDE, SIDE], data: FILM } });
  } finally {
    await session.close();
  }
}

it("the layers are the network's own, the first first, whatever was added to its file", async () => {
  expect(weightLayers(await finishedClassifier())).toEqual(LAYERS);
});

it("the layers that are named hold the same values at other places, all others stay", async () => {
  const model = await finishedClassifier();
  const before = withStoredWeights(model, null).graph.initializers;
  const after = withShuffledWeights(model, LAYERS.slice(-2), { seed: 1 }).graph.initializers;
  // The matcher would take half a minute for the gate's weights.
  const isEqual = (a: Tensor["data"], b: Tensor["data"]) =>
    a.every((value, at) => value === b[at]) && a.length === b.length;
  for (const [name, { data }] of before) {
    const found = after.get(name)!.data;
    expect(isEqual(found, data), name).toBe(!LAYERS.slice(-2).includes(name));
    if (LAYERS.slice(-2).includes(name))
      expect((found as Float32Array).toSorted()).toEqual((data as Float32Array).toSorted());
  }
});

it("the gate stays, the answer and the heat map change, by the seed alone", async () => {
  const model = await finishedClassifier();
  const [own, one, same, other] = await Promise.all(
    [
      model,
      ...[1, 1, 2].map((seed) => withShuffledWeights(model, weightLayers(model), { seed })),
    ].map(run),
  );
  expect(one!.gate!.data).toEqual(own!.gate!.data);
  expect(same!.heatmap!.data).toEqual(one!.heatmap!.data);
  for (const output of ["probabilities", "heatmap"]) {
    expect(one![output]!.data).not.toEqual(own![output]!.data);
    expect(other![output]!.data).not.toEqual(one![output]!.data);
  }
});
