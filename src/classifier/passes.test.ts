/** Passes on assembled classifiers, over every network, tasks of each kind, and both ways of fitting. */
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { smallBackbone } from "../../test/support/small-backbone.ts";
import type { Task } from "../datasets/index.portable.ts";
import { NORMALIZATIONS } from "../images/index.portable.ts";
import { embedGraph, layersOf, NETWORKS, type Network, STORED_WEIGHTS } from "../models/index.ts";
import { openSession } from "../onnx/index.node.ts";
import {
  type Model,
  operators as op,
  readModel,
  type Tensor,
  toNumbers,
  writeModel,
} from "../onnx/index.ts";
import { assembleClassifier } from "./assemble.ts";
import { calibrated } from "./calibrated.ts";
import { withFeatures } from "./features.ts";
import { flipAveraged } from "./flip-averaged.ts";
import { type ClassifierInput, type ClassifierMetadata, readMetadata } from "./metadata.ts";
import { withStoredWeights } from "./stored-weights.ts";

const TWO: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const REVERSED: Task = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };
const FINDINGS: Task = { kind: "findings", findings: ["Mass", "Edema"] };
const TASKS = { TWO, REVERSED, THREE, FINDINGS };

const SIZE = 32;

/** A backbone from elsewhere with a head of ours, as fine-tuning makes it. */
const tuned: Network = (x, outputs) => {
  const pixels = op.concat([x, x, x], 1);
  const { features } = embedGraph(x.builder, smallBackbone(SIZE).graph, { x: pixels });
  const pooled = op.flatten(op.globalAveragePool(features!));
  return layersOf(3).dense(op.dropout(pooled, 0.2), "head", outputs, { scale: 1 });
};

const networks: Readonly<Record<string, () => Network>> = Object.fromEntries([
  ...NETWORKS.map(({ name, build }) => [name, () => build({ width: 0.25, depth: 1, seed: 1 })]),
  ["tuned", () => tuned],
]);

function classifierOf(
  network: Network = networks.cnn!(),
  {
    task = TWO,
    ...input
  }: Partial<Pick<ClassifierMetadata, "task">> & Partial<ClassifierInput> = {},
): Model {
  return assembleClassifier(network, new Map(), {
    task,
    input: { size: SIZE, fit: "squash", normalization: "standardize", window: null, ...input },
    operatingPoint: { threshold: 0.7, rule: "stated" },
    provenance: {},
    metrics: { auroc: 0.9 },
  });
}

const [COUNT, HEIGHT, WIDTH] = [3, 40, 50];
const FILMS: Tensor = {
  type: "uint8",
  dims: [COUNT, HEIGHT, WIDTH],
  // Slow waves and noise, unlike their mirrors.
  data: Uint8Array.from({ length: COUNT * HEIGHT * WIDTH }, (_, i) => {
    const [film, x] = [Math.floor(i / (HEIGHT * WIDTH)), i % WIDTH];
    return 90 + 60 * Math.sin((x * (film + 1)) / 15) + ((i * i * 31) % 47);
  }),
};
const MIRRORED: Tensor = {
  ...FILMS,
  data: Uint8Array.from({ length: FILMS.data.length }, (_, i) => {
    const x = i % WIDTH;
    return Number(FILMS.data[i - x + WIDTH - 1 - x]);
  }),
};

/** What the model says of films after it was written and read: rows of each output. */
async function run(model: Model, images = FILMS): Promise<Record<string, number[][]>> {
  const session = await openSession(writeModel(model));
  const outputs = await session.run({ images });
  await session.close();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const values = toNumbers(value);
      const size = values.length / COUNT;
      return [
        name,
        Array.from({ length: COUNT }, (_, film) => values.slice(film * size, (film + 1) * size)),
      ];
    }),
  );
}

function worst(a: readonly number[][], b: readonly number[][]): number {
  return Math.max(...a.flat().map((value, index) => Math.abs(value - b.flat()[index]!)));
}

/** Logits of a row of probabilities, up to what a softmax does not see. */
const logitsOf = (task: Task, row: readonly number[]): number[] =>
  task.kind === "classes" && task.positive === null
    ? row.map((p) => Math.log(p) - Math.log(row[0]!))
    : row.map((p) => Math.log(p / (1 - p)));

describe("flipAveraged", () => {
  it.each(Object.entries(TASKS))(
    "averages logits with those of the mirror: %s",
    async (_, task) => {
      const plain = classifierOf(networks.cnn!(), { task, fit: "pad" });
      const averaged = await run(flipAveraged(readModel(writeModel(plain))));
      const [own, mirror] = [await run(plain), await run(plain, MIRRORED)];
      expect(worst(own.probabilities!, mirror.probabilities!)).toBeGreaterThan(1e-3);
      const wanted = own.probabilities!.map((row, film) => {
        const other = logitsOf(task, mirror.probabilities![film]!);
        return logitsOf(task, row).map((logit, label) => (logit + other[label]!) / 2);
      });
      const found = averaged.probabilities!.map((row) => logitsOf(task, row));
      expect(worst(found, wanted)).toBeLessThan(2e-5);
    },
  );

  it.each(Object.keys(networks))("reads film and mirror alike: %s", async (name) => {
    const model = flipAveraged(classifierOf(networks[name]!(), { normalization: "range" }));
    const [own, mirror] = [await run(model), await run(model, MIRRORED)];
    expect(worst(own.probabilities!, mirror.probabilities!)).toBeLessThan(1e-5);
  });

  it.each(NORMALIZATIONS)("works whatever normalises the films: %s", async (normalization) => {
    const model = flipAveraged(classifierOf(networks.cnn!(), { normalization }));
    const [own, mirror] = [await run(model), await run(model, MIRRORED)];
    expect(worst(own.probabilities!, mirror.probabilities!)).toBeLessThan(1e-5);
  });

  it("is what assembling with it gives", async () => {
    const assembled = classifierOf(networks.residual!(), { averaging: "flip" });
    const passed = flipAveraged(classifierOf(networks.residual!()));
    expect(await run(passed)).toEqual(await run(assembled));
    expect(flipAveraged(passed)).toBe(passed);
  });

  it("takes calibration, operating point and metrics away, which were others' probabilities", () => {
    const map = { kind: "logistic", slope: 0.4, intercept: -0.3 } as const;
    const judged = { operatingPoint: { threshold: 0.3, rule: "stated" }, metrics: { auroc: 1 } };
    const model = flipAveraged(
      calibrated(classifierOf(), { method: "platt", positive: 1, map }, judged),
    );
    expect(readMetadata(model.metadata, "model")).toMatchObject({
      input: { averaging: "flip" },
      calibration: null,
      operatingPoint: null,
      metrics: {},
    });
    expect(model.graph.nodes.some(({ name }) => name.startsWith("calibration"))).toBe(false);
  });
});

describe("withFeatures", () => {
  it.each(Object.keys(networks))("gives what the head of %s sees", async (name) => {
    const plain = classifierOf(networks[name]!());
    const model = withFeatures(readModel(writeModel(plain)));
    const { probabilities, features } = await run(model);
    expect(probabilities).toEqual((await run(plain)).probabilities);
    const weight = toNumbers(plain.graph.initializers.get("head.weight")!);
    const [bias] = toNumbers(plain.graph.initializers.get("head.bias")!);
    const wanted = features!.map((row) => {
      const logit = row.reduce((sum, value, at) => sum + value * weight[at]!, bias!);
      return [1 / (1 + Math.exp(logit)), 1 / (1 + Math.exp(-logit))];
    });
    expect(worst(probabilities!, wanted)).toBeLessThan(2e-6);
    expect(readMetadata(model.metadata, "model").features).toEqual({ width: weight.length });
    expect(withFeatures(model)).toBe(model);
  });

  it("averages them with those of the mirror where the logits are", async () => {
    const plain = withFeatures(classifierOf());
    const averaged = await run(withFeatures(flipAveraged(classifierOf())));
    const [own, mirror] = [await run(plain), await run(plain, MIRRORED)];
    const wanted = own.features!.map((row, film) =>
      row.map((value, at) => (value + mirror.features![film]![at]!) / 2),
    );
    expect(worst(averaged.features!, wanted)).toBeLessThan(1e-5);
  });

  it("refuses a network that ends in another way, and what is no classifier of ours", () => {
    const headless: Network = (x, outputs) =>
      op.flatten(op.globalAveragePool(layersOf(1).conv(x, "conv", { channels: outputs })));
    expect(thrownBy(() => withFeatures(classifierOf(headless)))).toMatchObject({
      code: "not-a-classifier",
      details: { lacks: expect.stringContaining("head") },
    });
    const { graph, ...model } = classifierOf();
    const without = (operator: string) => ({
      ...model,
      graph: { ...graph, nodes: graph.nodes.filter((node) => node.operator !== operator) },
    });
    expect(thrownBy(() => withFeatures(without("Resize")))).toMatchObject({
      details: { lacks: expect.stringContaining("resized") },
    });
    expect(thrownBy(() => withFeatures(without("Sigmoid")))).toMatchObject({
      details: { lacks: expect.stringContaining("logits") },
    });
  });
});

describe("withStoredWeights", () => {
  const LIMITS = { float16: 2e-3, int8: 0.05 };
  it.each(
    STORED_WEIGHTS.flatMap((kind) => Object.keys(networks).map((name) => [kind, name] as const)),
  )("in %s changes little in what %s says, and float32 gives the same", async (kind, name) => {
    const plain = withFeatures(flipAveraged(classifierOf(networks[name]!())));
    const stored = readModel(writeModel(withStoredWeights(plain, kind)));
    const said = await run(stored);
    expect(worst(said.probabilities!, (await run(plain)).probabilities!)).toBeLessThan(
      LIMITS[kind],
    );
    const types = [...stored.graph.initializers.values()].map(({ type }) => type);
    expect(types).toContain(kind);
    expect(readMetadata(stored.metadata, "model").weights).toBe(kind);
    const back = withStoredWeights(stored, null);
    expect(await run(back)).toEqual(said);
    expect(readMetadata(back.metadata, "model").weights).toBeUndefined();
  });

  it("makes the file a half and a quarter as large", () => {
    const plain = classifierOf(networks.residual!());
    const bytes = (model: Model) => writeModel(model).length;
    expect(bytes(withStoredWeights(plain, "float16")) / bytes(plain)).toBeLessThan(0.55);
    expect(bytes(withStoredWeights(plain, "int8")) / bytes(plain)).toBeLessThan(0.35);
  });

  it("leaves other passes possible: a calibration comes after it as before it", async () => {
    const map = { kind: "logistic", slope: 0.4, intercept: -0.3 } as const;
    const judged = { operatingPoint: null, metrics: {} };
    const calibration = { method: "platt", positive: 1, map } as const;
    const before = withStoredWeights(calibrated(classifierOf(), calibration, judged), "float16");
    const after = calibrated(withStoredWeights(classifierOf(), "float16"), calibration, judged);
    expect(await run(after)).toEqual(await run(before));
  });
});
