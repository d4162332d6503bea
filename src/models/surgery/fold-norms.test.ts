import { expect, test } from "vitest";
import { parameterNames } from "../../autodiff/index.ts";
import { openSession } from "../../onnx/index.node.ts";
import {
  float32,
  type Graph,
  graphBuilder,
  operators as op,
  sizeOf,
  toNumbers,
  type Value,
} from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { foldNorms } from "./fold-norms.ts";

const INPUT = [2, 4, 7, 7];

function drawn(dims: readonly number[], name: string, low: number) {
  const random = randomStream(3, name);
  return float32(
    dims,
    Array.from({ length: sizeOf(dims) }, () => random.between(low, low + 2)),
  );
}
const parameter = (x: Value, name: string, dims: readonly number[], low = -1) =>
  x.builder.parameter(name, drawn(dims, name, low));

function norm(x: Value, name: string): Value {
  const channels = [Number(x.shape[1])];
  const part = (which: string, low: number) => parameter(x, `${name}.${which}`, channels, low);
  const statistics = { mean: part("mean", -1), variance: part("variance", 0.2) };
  return op.batchNormalization(
    x,
    { scale: part("scale", -1), bias: part("bias", -1), ...statistics },
    { epsilon: 1e-3 },
  );
}
const conv = (x: Value, name: string, dims: readonly number[], group = 1, hasBias = false) =>
  op.conv(
    x,
    parameter(x, `${name}.weight`, dims),
    hasBias ? parameter(x, `${name}.bias`, [dims[0]!]) : undefined,
    { pads: [1, 1, 1, 1], group },
  );

function graphOf(build: (x: Value) => Value): Graph {
  const builder = graphBuilder();
  builder.output(build(builder.input("x", "float32", INPUT)), "y");
  return builder.build();
}

const norms = (graph: Graph) =>
  graph.nodes.filter(({ operator }) => operator === "BatchNormalization").length;

async function difference(a: Graph, b: Graph): Promise<number> {
  const x = drawn(INPUT, "x", -1);
  const [first, second] = await Promise.all(
    [a, b].map(async (graph) => {
      const session = await openSession(graph, { threads: 1, optimization: "disabled" });
      const { y } = await session.run({ x });
      await session.close();
      return toNumbers(y!);
    }),
  );
  const largest = Math.max(...first!.map(Math.abs));
  return Math.max(...first!.map((value, i) => Math.abs(value - second![i]!))) / largest;
}

/** Convolutions of every kind, each before a norm; a dense layer before one at the end. */
const whole = graphOf((x) => {
  const plain = op.relu(norm(conv(x, "plain", [6, 4, 3, 3]), "plain_norm"));
  const deep = op.relu(norm(conv(plain, "deep", [6, 1, 3, 3], 6, true), "deep_norm"));
  const grouped = norm(conv(deep, "grouped", [4, 3, 3, 3], 2), "grouped_norm");
  const flat = op.flatten(op.globalAveragePool(grouped));
  const weight = parameter(x, "dense.weight", [3, 4]);
  return norm(op.gemm(flat, weight, undefined, { transB: true }), "dense_norm");
});

test("norms are folded into convolutions and products, with equal results", async () => {
  const folded = foldNorms(whole);
  expect(norms(folded)).toBe(0);
  expect(folded.nodes).toHaveLength(whole.nodes.length - 4);
  expect(await difference(whole, folded)).toBeLessThan(1e-5);
  expect(parameterNames(folded).sort()).toEqual([
    "deep.bias",
    "deep.weight",
    "dense.weight",
    "dense_norm.bias",
    "grouped.weight",
    "grouped_norm.bias",
    "plain.weight",
    "plain_norm.bias",
  ]);
});

test("what trains is left as it is", async () => {
  const isTrained = (name: string) => name === "plain_norm.scale" || name === "grouped.weight";
  const folded = foldNorms(whole, { isTrained });
  expect(norms(folded)).toBe(2);
  expect(folded.initializers.get("grouped.weight")).toBe(whole.initializers.get("grouped.weight"));
  expect(await difference(whole, folded)).toBeLessThan(1e-5);
});

test("a norm stays whose convolution something else reads, or whose weight another one shares", () => {
  const read = graphOf((x) => {
    const y = conv(x, "a", [4, 4, 3, 3]);
    return op.add(y, norm(y, "n"));
  });
  const shared = graphOf((x) => {
    const y = norm(conv(x, "a", [4, 4, 3, 3]), "n");
    return norm(op.conv(y, x.builder.find("a.weight")!, undefined, {}), "m");
  });
  const first = graphOf((x) => norm(op.relu(norm(x, "n")), "m"));
  expect([read, shared, first].map((graph) => norms(foldNorms(graph)))).toEqual([1, 2, 2]);
});
