import { describe, expect, it } from "vitest";
import { expectSameResults } from "../../../test/support/same-results.ts";
import { type Graph, graphBuilder, operators as op, type Value } from "../../onnx/index.ts";
import { poolBeforeActivation } from "./pooling-order.ts";

const WINDOW = { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };

function graphOf(activation: (x: Value) => Value, reads: (y: Value) => readonly Value[]): Graph {
  const builder = graphBuilder();
  const y = activation(builder.input("x", "float32", [2, 3, 7, 7]));
  for (const [index, value] of reads(y).entries()) builder.output(value, `y${index}`);
  return builder.build();
}
const operatorsOf = (graph: Graph) => graph.nodes.map(({ operator }) => operator);
const pooled = (y: Value) => [op.maxPool(y, WINDOW)];

describe("pooling before activation", () => {
  it.each([
    ["Relu", op.relu],
    ["LeakyRelu", (x: Value) => op.leakyRelu(x, 0.2)],
    ["Clip", (x: Value) => op.clip(x, 0, 0.5)],
  ])("pools first where %s is read by the pool only", async (operator, activation) => {
    const graph = graphOf(activation, pooled);
    const lean = poolBeforeActivation(graph);
    expect(operatorsOf(lean)).toEqual(["MaxPool", operator, "Identity"]);
    expect(lean.values.get(lean.nodes[0]!.outputs[0]!)?.shape).toEqual([2, 3, 4, 4]);
    await expectSameResults(lean, graph);
  });

  it.each<[string, Graph]>([
    ["something else reads the activation", graphOf(op.relu, (y) => [...pooled(y), op.neg(y)])],
    ["the activation falls", graphOf((x) => op.leakyRelu(x, -0.2), pooled)],
    ["it averages", graphOf(op.relu, (y) => [op.averagePool(y, WINDOW)])],
    [
      "the pool's indices are read",
      graphOf(op.relu, (y) => Object.values(op.maxPoolWithIndices(y, WINDOW))),
    ],
  ])("changes nothing where %s", (_, graph) => {
    expect(poolBeforeActivation(graph)).toEqual(graph);
  });
});
