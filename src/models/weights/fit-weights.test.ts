import { describe, expect, it } from "vitest";
import type { HilumError } from "../../errors.ts";
import { float32, operators as op, sizeOf, type Tensor } from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { BACKBONES } from "../backbones/table.ts";
import { layersOf } from "../layers.ts";
import { backboneGraph, expectedTensors } from "./backbone-graph.ts";
import { fitWeights } from "./fit-weights.ts";
import type { NamedTensors } from "./named-tensors.ts";

const SMALL: BackboneEntry = {
  ...BACKBONES[0]!,
  name: "small",
  size: 8,
  build({ seed }) {
    const layers = layersOf(seed);
    return {
      features(x) {
        const y = layers.conv(x, "stem.conv", { channels: 4, hasBias: false });
        return op.relu(layers.batchNorm(y, "stem.norm"));
      },
      top: (y) => layers.dense(op.flatten(op.globalAveragePool(y)), "fc", 5),
    };
  },
};
const EXPECTED = expectedTensors(SMALL);

const ramp = (dims: readonly number[], start = 0): Tensor =>
  float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, (_, index) => start + index),
  );

const TORCH: Readonly<Record<string, Tensor>> = {
  "stem.conv.weight": ramp([4, 3, 3, 3]),
  "stem.norm.weight": ramp([4], 1),
  "stem.norm.bias": ramp([4], 2),
  "stem.norm.running_mean": ramp([4], 3),
  "stem.norm.running_var": ramp([4], 4),
  "stem.norm.num_batches_tracked": {
    type: "int64",
    dims: [],
    data: BigInt64Array.from([7n]),
  },
  "fc.weight": ramp([5, 4], 5),
  "fc.bias": ramp([5], 6),
};

const KERAS: Readonly<Record<string, Tensor>> = {
  "stem.conv/kernel": ramp([3, 3, 3, 4]),
  "stem.norm/gamma": ramp([4], 1),
  "stem.norm/beta": ramp([4], 2),
  "stem.norm/moving_mean": ramp([4], 3),
  "stem.norm/moving_variance": ramp([4], 4),
  "fc/kernel": ramp([4, 5], 5),
  "fc/bias": ramp([5], 6),
};

type Changes = Readonly<Record<string, Tensor | undefined>>;

/** The file with some tensors replaced, added or (undefined) left out. */
function file(base: Readonly<Record<string, Tensor>>, changes: Changes = {}): NamedTensors {
  const tensors = Object.entries({ ...base, ...changes }).flatMap(([name, tensor]) =>
    tensor ? [[name, tensor] as const] : [],
  );
  return {
    source: "weights.file",
    convention: base === KERAS ? "keras" : "torch",
    tensors: new Map(tensors),
  };
}

function refused(changes: Changes, options: { withTop?: boolean } = {}, base = TORCH): HilumError {
  try {
    fitWeights(EXPECTED, file(base, changes), options);
  } catch (error) {
    return error as HilumError;
  }
  throw new Error("the file was taken");
}

describe("fitWeights", () => {
  it("brings PyTorch's names to the graph's", () => {
    const { tensors, hasTop } = fitWeights(EXPECTED, file(TORCH));
    expect(hasTop).toBe(true);
    expect([...tensors].map(([name, { data }]) => [name, data[0]])).toEqual([
      ["stem.conv.weight", 0],
      ["stem.norm.scale", 1],
      ["stem.norm.bias", 2],
      ["stem.norm.mean", 3],
      ["stem.norm.variance", 4],
      ["fc.weight", 5],
      ["fc.bias", 6],
    ]);
  });

  it("takes the names of our own graphs", () => {
    const own = fitWeights(EXPECTED, file(TORCH)).tensors;
    const again = fitWeights(EXPECTED, { source: "own", convention: "torch", tensors: own });
    expect(again.tensors).toEqual(own);
  });

  it("brings Keras' names and layouts to the graph's", () => {
    const { tensors } = fitWeights(EXPECTED, file(KERAS));
    const kernel = tensors.get("stem.conv.weight")!;
    expect(kernel.dims).toEqual([4, 3, 3, 3]);
    // Out 1, in 2, row 0, column 1 lies at ((0 * 3 + 1) * 3 + 2) * 4 + 1 with the channels last.
    expect(kernel.data[(1 * 3 + 2) * 9 + 1]).toBe(21);
    expect(tensors.get("fc.weight")).toEqual(
      float32(
        [5, 4],
        [0, 5, 10, 15, 1, 6, 11, 16, 2, 7, 12, 17, 3, 8, 13, 18, 4, 9, 14, 19].map((n) => n + 5),
      ),
    );
    expect(tensors.get("stem.norm.bias")!.data[0]).toBe(2);
  });

  it("leaves the classifier out where the file has none or nobody wants it", () => {
    const bare = { "fc.weight": undefined, "fc.bias": undefined };
    for (const [changes, withTop] of [
      [bare, undefined],
      [bare, false],
      [{}, false],
      [{ "fc.weight": ramp([2, 4]) }, false],
    ] as const) {
      const fitted = fitWeights(EXPECTED, file(TORCH, changes), { withTop });
      expect(fitted.hasTop).toBe(false);
      expect(fitted.tensors.size).toBe(5);
    }
  });

  it("refuses a classifier that is half there, or not there and wanted", () => {
    expect(refused({ "fc.bias": undefined })).toMatchObject({
      code: "weights-mismatch",
      details: { problem: "missing", tensor: "fc.bias", isTop: true },
    });
    expect(
      refused({ "fc.weight": undefined, "fc.bias": undefined }, { withTop: true }).details,
    ).toMatchObject({ problem: "missing", tensor: "fc.weight", isTop: true });
  });

  it("names a tensor that is missing, and the nearest that is there", () => {
    const { message, details } = refused({
      "stem.norm.running_var": undefined,
      "stem.norm.running_vr": ramp([4]),
    });
    expect(message).toContain('weights.file does not fit the network: "stem.norm.running_var"');
    expect(details).toMatchObject({
      file: "weights.file",
      problem: "missing",
      tensor: "stem.norm.running_var",
      parameter: "stem.norm.variance",
      similar: "stem.norm.running_vr",
    });
  });

  it("names a tensor that the network has not", () => {
    expect(refused({ "layer9.conv.weight": ramp([1]) }).details).toMatchObject({
      problem: "extra",
      tensor: "layer9.conv.weight",
    });
  });

  it("names a tensor of another shape with both shapes", () => {
    const { message, details } = refused({ "stem.conv.weight": ramp([4, 1, 3, 3]) });
    expect(message).toContain("has shape [4,1,3,3] where [4,3,3,3] is needed");
    expect(details).toMatchObject({
      problem: "shape",
      found: [4, 1, 3, 3],
      expected: [4, 3, 3, 3],
    });
    const inKeras = refused({ "stem.conv/kernel": ramp([3, 3, 4, 4]) }, {}, KERAS);
    expect(inKeras.message).toContain("has shape [3,3,4,4] (here [4,4,3,3]) where [4,3,3,3] is");
    expect(inKeras.details).toMatchObject({ problem: "shape", found: [4, 4, 3, 3] });
    // As many elements, another rank.
    expect(refused({ "stem.norm.weight": ramp([4, 1]) }).details).toMatchObject({
      problem: "shape",
    });
  });

  it("names a tensor that holds no floating-point numbers", () => {
    const whole: Tensor = { type: "int32", dims: [4], data: new Int32Array(4) };
    expect(refused({ "stem.norm.bias": whole }).details).toMatchObject({
      problem: "type",
      found: "int32",
    });
  });

  it("widens half floats and narrows doubles", () => {
    // 1, -2, the smallest subnormal 2^-24, the largest 65504.
    const half: Tensor = {
      type: "float16",
      dims: [4],
      data: Uint16Array.from([0x3c00, 0xc000, 0x0001, 0x7bff]),
    };
    const brain: Tensor = {
      type: "bfloat16",
      dims: [4],
      data: Uint16Array.from([0x3f80, 0xc000, 0x0000, 0x7f80]),
    };
    const double: Tensor = { type: "float64", dims: [4], data: Float64Array.of(1, 2, 3, 1e-300) };
    const { tensors } = fitWeights(
      EXPECTED,
      file(TORCH, {
        "stem.norm.bias": half,
        "stem.norm.weight": brain,
        "stem.norm.running_mean": double,
      }),
    );
    expect(tensors.get("stem.norm.bias")).toEqual(float32([4], [1, -2, 2 ** -24, 65504]));
    expect(tensors.get("stem.norm.scale")).toEqual(
      float32([4], [1, -2, 0, Number.POSITIVE_INFINITY]),
    );
    expect(tensors.get("stem.norm.mean")).toEqual(float32([4], [1, 2, 3, 0]));
  });
});

describe("backboneGraph", () => {
  it("has the file's weights, and probabilities where the file has the classifier", () => {
    const whole = backboneGraph(SMALL, { weights: file(TORCH) });
    expect(whole.inputs).toMatchObject([{ name: "x", shape: ["N", 3, 8, 8] }]);
    expect(whole.outputs).toMatchObject([
      { name: "features", shape: ["N", 4, 8, 8] },
      { name: "probabilities", shape: ["N", 5] },
    ]);
    expect(whole.initializers.get("fc.bias")).toEqual(TORCH["fc.bias"]);
    const bare = backboneGraph(SMALL, { weights: file(TORCH), withTop: false });
    expect(bare.outputs.map(({ name }) => name)).toEqual(["features"]);
    expect(bare.initializers.has("fc.bias")).toBe(false);
  });
});

describe("every backbone", () => {
  it.each(BACKBONES)("$name has parameters of its own names, and a classifier", (entry) => {
    const { features, top } = expectedTensors(entry);
    expect(features.size).toBeGreaterThan(10);
    expect(top.size).toBeGreaterThanOrEqual(2);
    for (const [name, { type }] of [...features, ...top]) {
      expect(type, name).toBe("float32");
      expect(name).toMatch(/[^./]$/);
    }
  });
});
