import { expect, test } from "vitest";
import { parameterNames } from "../../autodiff/index.ts";
import { openSession } from "../../onnx/index.node.ts";
import { float32, type Graph, graphBuilder, operators as op } from "../../onnx/index.ts";
import { layersOf } from "../layers.ts";
import { embedGraph } from "./embed.ts";

/** x -> a dense layer, doubled; its inner values and constants have the builder's own names. */
function doubled(): Graph {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 2]);
  const y = layersOf(1).dense(x, "layer", 3);
  builder.output(op.mul(y, builder.scalar(2)), "features");
  builder.output(y, "loss");
  return builder.build();
}

test("a graph in a builder gives the same results, under the name of its output", async () => {
  const graph = doubled();
  const builder = graphBuilder();
  const images = builder.input("images", "float32", [4, 2]);
  const { features } = embedGraph(builder, graph, { x: op.neg(op.neg(images)) });
  expect(features!.shape).toEqual([4, 3]);
  builder.output(features!, "y");
  const feed = float32([4, 2], [1, 2, 3, 4, -1, 0.5, 0.25, 8]);
  const inner = await openSession(graph);
  const outer = await openSession(builder.build());
  expect((await outer.run({ images: feed })).y).toEqual((await inner.run({ x: feed })).features);
});

test("parameters keep their names and constants stay constants", () => {
  const builder = graphBuilder();
  embedGraph(builder, doubled(), { x: builder.input("images", "float32", ["N", 2]) });
  expect(parameterNames(builder.build())).toEqual(["layer.weight", "layer.bias"]);
});

test("inner values leave the builder's names free", () => {
  const builder = graphBuilder();
  const images = builder.input("images", "float32", ["N", 2]);
  const { features } = embedGraph(builder, doubled(), { x: images });
  expect(() => builder.output(features!, "loss")).not.toThrow();
});

test("what is embedded twice, or called as something is already, gets a prefix", () => {
  const builder = graphBuilder();
  const images = builder.input("images", "float32", ["N", 2]);
  embedGraph(builder, doubled(), { x: images });
  embedGraph(builder, doubled(), { x: images }, { prefix: "second" });
  expect(parameterNames(builder.build())).toEqual([
    "layer.weight",
    "layer.bias",
    "second/layer.weight",
    "second/layer.bias",
  ]);
});

test("an input that is not given is named", () => {
  const builder = graphBuilder();
  expect(() => embedGraph(builder, doubled(), {})).toThrow(/No value is given for input "x"/);
});
