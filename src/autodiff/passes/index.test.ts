import { describe, expect, it } from "vitest";
import { expectSameResults } from "../../../test/support/same-results.ts";
import { filled, float32, type Graph, graphBuilder, operators as op } from "../../onnx/index.ts";
import { appendGradients } from "../gradient.ts";
import { optimizeGraph } from "./index.ts";

/** A small residual block with a frozen norm, its loss and its gradients. */
function differentiated(): Graph {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", [2, 4, 6, 6]);
  const weight = builder.input("weight", "float32", [4, 4, 3, 3]);
  const head = builder.input("head", "float32", [4, 5]);
  const statistic = (name: string, value: number) => builder.parameter(name, filled([4], value));
  const norm = op.batchNormalization(op.conv(x, weight, undefined, { pads: [1, 1, 1, 1] }), {
    scale: statistic("scale", 1.5),
    bias: statistic("bias", 0.1),
    mean: statistic("mean", 0.2),
    variance: statistic("variance", 0.8),
  });
  const block = op.relu(op.add(x, op.identity(norm)));
  const features = op.flatten(op.globalAveragePool(block));
  const scores = op.softmax(op.matMul(features, head));
  const targets = builder.parameter("targets", float32([2, 5], [1, 0, 0, 0, 0, 0, 0, 1, 0, 0]));
  const loss = op.neg(op.reduceMean(op.mul(op.log(scores), targets), { keepsDims: false }));
  builder.output(loss, "loss");
  appendGradients(loss, [weight, head]).forEach((gradient, index) => {
    builder.output(gradient!, `gradient${index}`);
  });
  return builder.build();
}

describe("optimizing a graph", () => {
  it("makes a differentiated graph smaller and changes no result", async () => {
    const graph = differentiated();
    const lean = optimizeGraph(graph);
    expect(lean.nodes.length).toBeLessThan(graph.nodes.length - 8);
    await expectSameResults(lean, graph);
  });

  it("finds nothing more the second time", () => {
    const lean = optimizeGraph(differentiated());
    expect(optimizeGraph(lean)).toEqual(lean);
  });

  it("leaves a graph with subgraphs as it is", () => {
    const graph = differentiated();
    const [first, ...rest] = graph.nodes;
    const body = { kind: "graph", value: graph } as const;
    const nested = { ...graph, nodes: [{ ...first!, attributes: { body } }, ...rest] };
    expect(optimizeGraph(nested)).toBe(nested);
  });
});
