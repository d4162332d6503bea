import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { withFormulaWeights } from "../../test/reference/backbones/formula.ts";
import { hashes } from "../../test/reference/trajectories/formula.ts";
import { expectClose, type Numbers } from "../../test/support/close.ts";
import { referencePath } from "../../test/support/reference-file.ts";
import { thrownBy } from "../../test/support/rejection.ts";
import type { Task } from "../datasets/index.portable.ts";
import { backboneEntry, layersOf, type Network, networkEntry } from "../models/index.ts";
import { openSession } from "../onnx/index.node.ts";
import { isConstantName, type Model, operators as op, type Tensor } from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { calibrated } from "./calibrated.ts";
import { openExplainer } from "./explainer.node.ts";
import { flipAveraged } from "./flip-averaged.ts";
import { withHeatMap } from "./heat-map.ts";
import { HEAT_MAP_METHODS, readMetadata } from "./metadata.ts";
import { withStoredWeights } from "./stored-weights.ts";

interface Case {
  readonly size: number;
  readonly outputs: number;
  readonly class: number | null;
  readonly logits: Numbers;
  readonly maps: Readonly<Record<string, Numbers>>;
}

const CASES: Readonly<Record<string, Case>> = JSON.parse(
  readFileSync(referencePath("explanations/explanations.json"), "utf8"),
);
const TWO: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };

function networkOf(name: string): Network {
  if (name.startsWith("cnn")) return networkEntry("cnn").build({ width: 0.25, depth: 1, seed: 1 });
  const { features } = backboneEntry(name).build({ seed: 1 });
  return (x, outputs) => {
    const map = features(op.concat([x, x, x], 1));
    const pooled = map.shape.length === 4 ? op.flatten(op.globalAveragePool(map)) : map;
    return layersOf(1).dense(op.dropout(pooled, 0.2), "head", outputs);
  };
}

function classifierOf(network: Network, task: Task, size: number): Model {
  const model = assembleClassifier(network, new Map(), {
    task,
    input: { size, fit: "squash", normalization: "range", window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  });
  return { ...model, graph: withFormulaWeights(model.graph, isConstantName) };
}

const modelOf = (name: string, { outputs, size }: Case): Model =>
  classifierOf(networkOf(name), outputs === 3 ? THREE : TWO, size);

function films(size: number): Tensor {
  const data = Uint8Array.from(hashes("films", 2 * size * size), (hash) => hash % 256);
  return { type: "uint8", dims: [2, size, size], data };
}

async function run(model: Model, images: Tensor): Promise<Record<string, Tensor>> {
  const session = await openSession(model);
  try {
    return await session.run({ images });
  } finally {
    await session.close();
  }
}

/** Deep networks in single precision flip a few ReLUs. */
const TOLERANCE = { ofLargest: 2e-4, absolute: 1e-6 };

describe.each(Object.entries(CASES))("the heat maps of %s are PyTorch's", (name, reference) => {
  const asked = reference.class !== null && reference.outputs === 3 ? "B" : undefined;

  it.each(HEAT_MAP_METHODS)("by %s", async (method) => {
    const model = withHeatMap(modelOf(name, reference), { method, class: asked });
    const { heatmap } = await run(model, films(reference.size));
    expectClose(heatmap!, reference.maps[method]!, TOLERANCE, method);
  });
});

test.each(["occlusion", "integrated-gradients"] as const)("%s is captum's", async (method) => {
  const reference = CASES.cnn!;
  const explainer = await openExplainer(modelOf("cnn", reference), { method, cells: 8, steps: 32 });
  const { data } = films(32) as { data: Uint8Array };
  const found = await explainer.explain(
    [0, 1].map((film) => ({
      width: 32,
      height: 32,
      pixels: data.slice(film * 1024, (film + 1) * 1024),
    })),
  );
  await explainer.close();
  const side = found[0]!.heatMap.width;
  const maps = found.flatMap(({ heatMap }) => [...heatMap.values]);
  expectClose({ dims: [2, side, side], data: maps }, reference.maps[method]!, TOLERANCE, method);
});

test("a film has the same heat map alone and in a batch, whatever the sizes", async () => {
  const model = withHeatMap(modelOf("cnn of three", CASES["cnn of three"]!));
  const { data } = films(40) as { data: Uint8Array };
  const both = await run(model, { type: "uint8", dims: [2, 50, 32], data });
  const second = { type: "uint8", dims: [1, 50, 32], data: data.slice(1600) } as const;
  const alone = await run(model, second);
  const values = [...both.heatmap!.data].slice(16);
  expectClose(
    { dims: [1, 4, 4], data: values as number[] },
    alone.heatmap!,
    { ofLargest: 1e-5 },
    "heat map",
  );
});

test("the probabilities stay, calibrated or not, and so does what calibrates them", async () => {
  const plain = modelOf("cnn", CASES.cnn!);
  const calibration = {
    method: "platt",
    positive: 1,
    map: { kind: "logistic", slope: 0.4, intercept: -0.3 },
  } as const;
  const model = calibrated(plain, calibration, { operatingPoint: null, metrics: {} });
  const mapped = withHeatMap(model, { method: "layer-cam" });
  const [before, after, uncalibratedMap] = await Promise.all(
    [model, mapped, withHeatMap(plain, { method: "layer-cam" })].map((m) => run(m, films(32))),
  );
  expect(after!.probabilities!.data).toEqual(before!.probabilities!.data);
  expect(after!.heatmap!.data).toEqual(uncalibratedMap!.heatmap!.data);
  expect(readMetadata(mapped.metadata, "it").calibration).toEqual(calibration);
  const again = calibrated(mapped, calibration, { operatingPoint: null, metrics: {} });
  expect((await run(again, films(32))).heatmap!.data).toEqual(after!.heatmap!.data);
});

test.each([null, "float16", "int8"] as const)(
  "where the mirror is averaged its map is turned back and averaged, with weights in %s",
  async (weights) => {
    const network = networkEntry("plain").build({ width: 0.25, depth: 1, seed: 1 });
    const plain = withStoredWeights(classifierOf(network, TWO, 32), weights);
    const images = films(32);
    const pixels = images.data as Uint8Array;
    const turned = pixels.map((_, at) => pixels[at - (at % 32) + 31 - (at % 32)]!);
    const method = "grad-cam++";
    const [own, mirror, averaged] = await Promise.all([
      run(withHeatMap(plain, { method }), images),
      run(withHeatMap(plain, { method }), { ...images, data: turned }),
      run(withHeatMap(flipAveraged(plain), { method }), images),
    ]);
    const { dims, data } = own!.heatmap!;
    const other = mirror!.heatmap!.data;
    const means = Array.from(data, Number).map((value, at) => {
      const facing = at - (at % 4) + 3 - (at % 4);
      return (value + Number(other[facing])) / 2;
    });
    expectClose(averaged!.heatmap!, { dims, data: means }, { ofLargest: 1e-4 }, "averaged");
  },
);

test("another heat map takes the place of the first", async () => {
  const plain = modelOf("cnn", CASES.cnn!);
  const first = withHeatMap(plain, { method: "grad-cam" });
  const second = withHeatMap(first, { method: "layer-cam", class: "NORMAL" });
  const direct = withHeatMap(plain, { method: "layer-cam", class: "NORMAL" });
  expect(second.graph.outputs.map(({ name }) => name)).toEqual(["probabilities", "heatmap"]);
  expect(second.graph.nodes).toHaveLength(direct.graph.nodes.length);
  expect(readMetadata(second.metadata, "it").heatmap).toEqual({
    method: "layer-cam",
    class: "NORMAL",
    height: 4,
    width: 4,
  });
  const [a, b] = await Promise.all([second, direct].map((model) => run(model, films(32))));
  expect(a!.heatmap).toEqual(b!.heatmap);
});

test.each(["squash", "pad"] as const)("films that are fitted by %s have heat maps", async (fit) => {
  const network = networkEntry("plain").build({ width: 0.25, depth: 1, seed: 1 });
  const model = assembleClassifier(network, new Map(), {
    task: { kind: "findings", findings: ["Mass", "Edema"] },
    input: { size: 32, fit, normalization: "standardize", window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  });
  const { heatmap } = await run(withHeatMap(model, { class: "Edema" }), films(40));
  expect(heatmap!.dims).toEqual([2, 4, 4]);
  expect(Math.max(...(heatmap!.data as Float32Array))).toBeGreaterThan(0);
  expect(Math.min(...(heatmap!.data as Float32Array))).toBeGreaterThanOrEqual(0);
});

test("a network of dense layers alone has no heat map", () => {
  const network = networkEntry("dense").build({ width: 0.25, depth: 1, seed: 1 });
  expect(thrownBy(() => withHeatMap(classifierOf(network, TWO, 32)))).toMatchObject({
    code: "no-heat-map",
  });
});

test("a class that the model does not know is refused with the nearest", () => {
  const model = modelOf("cnn", CASES.cnn!);
  expect(thrownBy(() => withHeatMap(model, { class: "PNEUMONA" }))).toMatchObject({
    code: "invalid-option",
    details: { suggestion: "PNEUMONIA" },
  });
});
