import { describe, expect, it, test } from "vitest";
import { referenceBytes } from "../../../test/support/reference-file.ts";
import { parameterNames } from "../../autodiff/index.ts";
import { type Graph, readModel } from "../../onnx/index.ts";
import { BACKBONES, backboneEntry } from "../backbones/table.ts";
import { backboneGraph } from "../weights/backbone-graph.ts";
import { blocksOf } from "./blocks.ts";
import { cutBackbone } from "./cut.ts";

const ours = (name: string) => backboneGraph(backboneEntry(name));
const fixture = (file: string) =>
  cutBackbone(readModel(referenceBytes(`backbones/onnx/${file}`))).graph;

/** The layer that each block begins with. */
const firstLayers = (graph: Graph) => blocksOf(graph).map(([name]) => name!.replace(/\.\w+$/, ""));

describe("every parameter is in one block", () => {
  it.each(BACKBONES.map(({ name }) => name))("of %s", (name) => {
    const graph = ours(name);
    const names = blocksOf(graph).flat();
    expect([...names].sort()).toEqual([...parameterNames(graph)].sort());
  });
});

test("Inception's modules are its blocks, behind two pooled stages of the stem", () => {
  const blocks = blocksOf(ours("inception-v3"));
  expect(blocks).toHaveLength(13);
  const layersOf = (block: readonly string[]) =>
    block.filter((name) => name.startsWith("conv2d")).map((name) => name.split(".")[0]);
  const numbered = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => `conv2d_${first + i}`);
  expect(layersOf(blocks.at(-2)!).sort()).toEqual(numbered(76, 84).sort());
  expect(layersOf(blocks.at(-1)!).sort()).toEqual(numbered(85, 93).sort());
});

test("Xception ends with blocks 13 and 14", () => {
  const [thirteen, fourteen] = blocksOf(ours("xception")).slice(-2);
  expect(thirteen!.filter((name) => !/^block13_/.test(name))).toEqual([
    "conv2d_3.weight",
    "batch_normalization_3.scale",
    "batch_normalization_3.bias",
  ]);
  expect(thirteen).toHaveLength(11);
  expect(fourteen!.every((name) => name.startsWith("block14_"))).toBe(true);
});

test("a residual network's blocks are its own", () => {
  const names = ["1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "4.0", "4.1"];
  expect(firstLayers(ours("resnet18"))).toEqual(["conv1", ...names.map((n) => `layer${n}.conv1`)]);
});

test("a plain network's blocks are its pooled stages", () => {
  const stages = [1, 2, 3, 4, 5].map((stage) => `block${stage}_conv1`);
  expect(firstLayers(ours("vgg16"))).toEqual(stages);
});

test("a transformer's layers are its blocks, the last norm in the last, what is embedded before", () => {
  const layers = Array.from({ length: 12 }, (_, i) => `blocks.${i}.norm1`);
  const graph = ours("vit-tiny");
  expect(firstLayers(graph)).toEqual(["patch_embed.proj", ...layers]);
  expect(blocksOf(graph).at(-1)!.slice(-2)).toEqual(["norm.scale", "norm.bias"]);
});

test("blocks of exported files are found alike", () => {
  expect(firstLayers(fixture("torchvision-resnet.onnx"))).toEqual([
    "conv1",
    "layer1.0.conv1",
    "layer2.0.conv1",
    "layer2.1.conv1",
    "layer3.0.conv1",
    "layer4.0.conv1",
  ]);
  expect(firstLayers(fixture("timm-vit.onnx"))).toEqual([
    "patch_embed.proj",
    "blocks.0.norm1",
    "blocks.1.norm1",
  ]);
  expect(firstLayers(fixture("torchvision-densenet-script.onnx"))).toEqual([
    "features.conv0",
    "features.denseblock1.denselayer1.norm1",
    "features.transition1.norm",
    "features.denseblock2.denselayer1.norm1",
  ]);
  expect(blocksOf(fixture("keras-plain.onnx"))).toHaveLength(2);
});
