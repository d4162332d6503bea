import { describe, expect, it } from "vitest";
import {
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  type Tensor,
} from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { fullWeights, STORED_WEIGHTS, storeWeights } from "./stored-weights.ts";

const WEIGHTS = { conv: [6, 4, 3, 3], tall: [5, 150], wide: [5, 7], last: [7, 3] };
/** Of each weight the axis of its output channels. */
const OUTPUT_AXIS = { conv: 0, tall: 0, wide: 1, last: 1 };
type WeightName = keyof typeof WEIGHTS;

function noise(name: string, dims: readonly number[]): Tensor {
  const stream = randomStream(1, name);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => stream.normal()),
  );
}

/** A convolution, a product with its weight transposed, one with it as it is, and a plain one. */
function layered(): Graph {
  const builder = graphBuilder();
  const weight = (name: WeightName) => builder.parameter(name, noise(name, WEIGHTS[name]));
  const bias = builder.parameter("bias", noise("bias", [6]));
  const x = op.conv(builder.input("x", "float32", ["N", 4, 7, 7]), weight("conv"), bias);
  const tall = op.gemm(op.flatten(x), weight("tall"), undefined, { transB: true });
  const wide = op.gemm(tall, weight("wide"));
  builder.output(op.matMul(wide, weight("last")), "y");
  return builder.build();
}

describe("stored weights", () => {
  const graph = layered();

  it("are halves within 11 bits, and 127 steps of each output channel's largest", () => {
    for (const name of Object.keys(WEIGHTS) as WeightName[]) {
      const { data, dims } = graph.initializers.get(name)! as Tensor & { data: Float32Array };
      const half = fullWeights(storeWeights(graph, "float16")).initializers.get(name)!;
      const whole = fullWeights(storeWeights(graph, "int8")).initializers.get(name)!;
      const inner = dims.slice(OUTPUT_AXIS[name] + 1).reduce((product, size) => product * size, 1);
      const channelOf = (index: number) => Math.floor(index / inner) % dims[OUTPUT_AXIS[name]]!;
      const largest = (channel: number) =>
        Math.max(...data.filter((_, index) => channelOf(index) === channel).map(Math.abs));
      data.forEach((value, index) => {
        expect(Math.abs(Number(half.data[index]) - value)).toBeLessThanOrEqual(
          Math.abs(value) * 2 ** -11,
        );
        const step = largest(channelOf(index)) / 127;
        expect(Math.abs(Number(whole.data[index]) - value)).toBeLessThanOrEqual(0.501 * step);
      });
    }
  });

  it.each(STORED_WEIGHTS)(
    "%s come back under their names, and nothing else has changed",
    (kind) => {
      const stored = storeWeights(graph, kind);
      expect([...stored.initializers.values()].filter(({ type }) => type === kind)).toHaveLength(4);
      const full = fullWeights(stored);
      expect(full.nodes).toEqual(graph.nodes);
      expect([...full.initializers.keys()].sort()).toEqual([...graph.initializers.keys()].sort());
      expect(full.initializers.get("bias")).toBe(graph.initializers.get("bias"));
    },
  );

  it("are left as they are where a half float cannot hold them", () => {
    const large = float32(
      [5, 7],
      Array.from({ length: 35 }, (_, i) => 1e4 * i),
    );
    const initializers = new Map([...graph.initializers, ["wide", large]]);
    const stored = storeWeights({ ...graph, initializers }, "float16");
    expect(stored.initializers.get("wide")).toBe(large);
    expect(stored.initializers.has("tall")).toBe(false);
  });

  it("are nothing to a graph that has none", () => {
    expect(fullWeights(graph)).toBe(graph);
  });
});
