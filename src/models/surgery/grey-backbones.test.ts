/** The grey stem on real networks: our own, and those that exporters wrote. */
import { expect, test } from "vitest";
import { referenceBytes } from "../../../test/support/reference-file.ts";
import { openSession } from "../../onnx/index.node.ts";
import { float32, type Graph, graphBuilder, readModel, toNumbers } from "../../onnx/index.ts";
import { backboneEntry } from "../backbones/table.ts";
import { cutBackbone } from "./cut.ts";
import { greyStem } from "./grey-stem.ts";

const IMAGENET = { mean: [123.675, 116.28, 103.53], deviation: [58.395, 57.12, 57.375] } as const;
const STANDARD = { scale: 57, offset: 117 };

/** Images `[2, 1, size, size]` of grey, and the three channels that the publisher makes of them. */
function images(size: number, { mean, deviation }: Pick<typeof IMAGENET, "mean" | "deviation">) {
  const area = size * size;
  const grey = Float32Array.from({ length: 2 * area }, (_, i) => Math.sin(0.37 * i));
  const replicated = Array.from({ length: 6 * area }, (_, i) => {
    const c = Math.floor(i / area) % 3;
    const n = grey[Math.floor(i / (3 * area)) * area + (i % area)]!;
    return (STANDARD.scale * n + STANDARD.offset - mean[c]!) / deviation[c]!;
  });
  return {
    grey: float32([2, 1, size, size], grey),
    replicated: float32([2, 3, size, size], replicated),
  };
}

async function featuresOf(graph: Graph, x: ReturnType<typeof float32>): Promise<number[]> {
  const session = await openSession(graph, { threads: 1 });
  const { features } = await session.run({ x });
  await session.close();
  return toNumbers(features!);
}

async function expectEqual(
  graph: Graph,
  preprocessing: Pick<typeof IMAGENET, "mean" | "deviation">,
): Promise<void> {
  const stem = greyStem(graph, preprocessing, STANDARD);
  const { grey, replicated } = images(Number(graph.inputs[0]!.shape![3]), preprocessing);
  const expected = await featuresOf(graph, replicated);
  const actual = await featuresOf(stem, grey);
  const largest = Math.max(...expected.map(Math.abs));
  const errors = actual.map((value, i) => Math.abs(value - expected[i]!) / largest);
  expect(Math.max(...errors)).toBeLessThan(1e-5);
  // No three channels are left in front: the stem's own weights read the grey image.
  expect(stem.nodes.filter(({ operator }) => operator === "Conv")[0]!.name).not.toMatch(
    /^backbone/,
  );
}

test.each(["mobilenet-v2", "efficientnet-lite0", "resnet18", "vit-tiny"])(
  "%s reads one grey image as it reads three channels",
  async (name) => {
    const entry = backboneEntry(name);
    const builder = graphBuilder();
    const size = name === "vit-tiny" ? entry.size : 64;
    const x = builder.input("x", "float32", ["N", 3, size, size]);
    builder.output(entry.build({ seed: 1 }).features(x), "features");
    await expectEqual(builder.build(), entry.preprocessing as typeof IMAGENET);
  },
);

test.each([
  "torchvision-resnet.onnx",
  "torchvision-densenet-script.onnx",
  "timm-vit.onnx",
  "timm-convnext.onnx",
  "keras-mobile.onnx",
  "keras-plain.onnx",
])("%s does too", async (file) => {
  const model = readModel(referenceBytes(`backbones/onnx/${file}`));
  await expectEqual(cutBackbone(model).graph, IMAGENET);
});
