import { describe, expect, test } from "vitest";
import type { Graph, Node } from "./graph.ts";
import { validateGraph } from "./index.ts";
import { float32 } from "./tensor.ts";

const node = (name: string, inputs: string[], outputs: string[], inner?: Graph): Node => ({
  name,
  operator: inner ? "If" : "Add",
  domain: "",
  inputs,
  outputs,
  attributes: inner ? { then_branch: { kind: "graph", value: inner } } : {},
});

function graph(nodes: Node[], outputs: string[], inputs = ["x"]): Graph {
  const value = (name: string) => ({ name, type: "float32" as const, shape: [] });
  return {
    name: "g",
    nodes,
    inputs: inputs.map(value),
    outputs: outputs.map(value),
    initializers: new Map([["w", float32([], [1])]]),
    values: new Map(),
  };
}

const INVALID: readonly [title: string, graph: Graph, message: RegExp][] = [
  [
    "reads nothing's value",
    graph([node("a", ["z"], ["y"])], ["y"]),
    /node\[0\] \(Add "a"\): it reads "z", which nothing makes/,
  ],
  [
    "is a cycle",
    graph([node("a", ["x", "c"], ["b"]), node("c", ["b"], ["c"])], ["c"]),
    /node\[0\] \(Add "a"\): it reads "c", which only node\[1\] makes: the nodes form a cycle/,
  ],
  ["reads itself", graph([node("a", ["a"], ["a"])], ["a"]), /only node\[0\] makes/],
  [
    "makes a value twice",
    graph([node("a", ["x"], ["y"]), node("b", ["x"], ["y"])], ["y"]),
    /node\[1\] .* it makes "y", which exists already/,
  ],
  [
    "makes one value in two outputs",
    graph([node("a", ["x"], ["y", "y"])], ["y"]),
    /it makes "y", which exists/,
  ],
  ["makes an initializer", graph([node("a", ["x"], ["w"])], ["w"]), /it makes "w", which exists/],
  [
    "has two inputs of one name",
    graph([], ["x"], ["x", "x"]),
    /graph.input: two inputs share a name/,
  ],
  [
    "promises what nothing makes",
    graph([node("a", ["x"], ["y"])], ["y", "q"]),
    /graph.output\[1\]: nothing makes "q"/,
  ],
  [
    "reads a branch's inner value outside of it",
    graph(
      [
        node("if", ["x"], ["y"], graph([node("i", ["x"], ["t"])], ["t"], [])),
        node("a", ["t"], ["z"]),
      ],
      ["z"],
    ),
    /node\[1\] \(Add "a"\): it reads "t"/,
  ],
  [
    "reads in a branch what comes later",
    graph(
      [
        node("if", ["x"], ["y"], graph([node("i", ["z"], ["t"])], ["t"], [])),
        node("a", ["x"], ["z"]),
      ],
      ["z"],
    ),
    /graph.node\[0\] \(If "if"\)\.then_branch\.node\[0\] \(Add "i"\): it reads "z"/,
  ],
];

describe("a graph is refused that", () => {
  test.each(INVALID)("%s", (_, invalid, message) => {
    expect(() => validateGraph(invalid)).toThrow(
      expect.objectContaining({
        code: "model-malformed",
        message: expect.stringMatching(message),
      }),
    );
  });
});

test("a graph is accepted with optional values left out and branches that read around them", () => {
  const inner = graph([node("i", ["y", "w"], ["t"])], ["t", "x"], []);
  const nodes = [node("a", ["x", "", "w"], ["y", "", ""]), node("if", ["y"], ["z"], inner)];
  validateGraph(graph(nodes, ["z", "x", "w"]));
});

test("ten thousand branches of ten thousand values are looked at once each", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => node(`v${i}`, ["x"], [`v${i}`]));
  const inner = graph([node("i", ["v9999"], ["t"])], ["t"], []);
  const branches = Array.from({ length: 10_000 }, (_, i) => node(`b${i}`, ["x"], [`b${i}`], inner));
  validateGraph(graph([...values, ...branches], ["b9999"]));
});
