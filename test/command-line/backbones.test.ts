/** Pretrained backbones as a user lists, pulls and exports them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BACKBONES, backboneEntry, backboneGraph } from "../../src/models/index.ts";
import { openSession, readModelFile } from "../../src/onnx/index.node.ts";
import { filled, isConstantName, readModel, writeSafetensors } from "../../src/onnx/index.ts";
import { commandLine } from "../support/command-line.ts";
import { type FileServer, fileServer, serve } from "../support/file-server.ts";

const hilum = commandLine();
const folder = mkdtempSync(join(tmpdir(), "hilum-backbones-"));
const weights = join(folder, "mine.safetensors");
const bare = join(folder, "bare.safetensors");
let server: FileServer;

/** Seeded weights of the backbone's shapes, as a file of anybody's. */
function writeWeights(path: string, withTop: boolean): void {
  const { initializers } = backboneGraph(backboneEntry("mobilenet-v2"), { withTop, seed: 5 });
  const tensors = new Map([...initializers].filter(([name]) => !isConstantName(name)));
  writeFileSync(path, writeSafetensors({ tensors, metadata: {} }));
}

beforeAll(async () => {
  writeWeights(weights, true);
  writeWeights(bare, false);
  server = await fileServer(serve(Uint8Array.of(1, 2, 3)));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Listed {
  readonly folder: string;
  readonly backbones: readonly Readonly<Record<string, unknown>>[];
}

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly details: object };
}

async function failure(...words: readonly string[]): Promise<Failure["error"] & { exit: number }> {
  const outcome = await hilum("backbones", ...words, "--json");
  return { ...outcome.json<Failure>().error, exit: outcome.exitCode };
}

describe("hilum backbones", () => {
  it("lists every backbone with its cost, input, licence and source", async () => {
    const outcome = await hilum("backbones", "--json");
    expect(outcome.exitCode).toBe(0);
    const { backbones, folder: cache } = outcome.json<Listed>();
    expect(cache).toMatch(/weights$/);
    expect(backbones.map(({ name }) => name)).toEqual(BACKBONES.map(({ name }) => name));
    for (const backbone of backbones)
      expect(backbone).toEqual({
        name: expect.any(String),
        title: expect.any(String),
        summary: expect.any(String),
        size: expect.any(Number),
        preprocessing: {
          order: expect.stringMatching(/^(rgb|bgr)$/),
          mean: [expect.any(Number), expect.any(Number), expect.any(Number)],
          deviation: [expect.any(Number), expect.any(Number), expect.any(Number)],
        },
        parameters: expect.any(Number),
        featureParameters: expect.any(Number),
        flops: expect.any(Number),
        features: expect.arrayContaining(["N"]),
        trainedOn: expect.stringContaining("ImageNet"),
        licence: expect.any(String),
        cited: expect.any(String),
        files: expect.any(Array),
        ...("converted" in backbone ? { converted: expect.any(Object) } : {}),
        cached: null,
      });
    const xception = backbones.find(({ name }) => name === "xception");
    expect(xception).toMatchObject({ parameters: 22_855_952, size: 299, licence: "Apache-2.0" });
  });

  it("prints a table for people", async () => {
    const { stdout } = await hilum("backbones");
    for (const { name } of BACKBONES) expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
    expect(stdout).toMatch(/Not for clinical use/);
    expect(stdout).not.toContain("undefined");
  });
});

describe("hilum backbones pull", () => {
  it("takes a local file into the cache, where the list shows it", async () => {
    const outcome = await hilum("backbones", "pull", "mobilenet-v2", "--file", weights, "--json");
    expect(outcome.exitCode, outcome.stdout).toBe(0);
    const pulled = outcome.json<{ path: string }>();
    expect(pulled).toEqual({
      backbone: "mobilenet-v2",
      path: expect.stringMatching(/mobilenet_v2-7ebf99e0\.safetensors$/),
      from: weights,
      isVerified: false,
      conversion: null,
    });
    expect(readFileSync(pulled.path).equals(readFileSync(weights))).toBe(true);
    expect((await hilum("backbones")).stdout).toMatch(/^mobilenet-v2 .* yes$/m);
    const exported = await hilum(
      ...["backbones", "export", "mobilenet-v2", "--out", join(folder, "cached.onnx"), "--json"],
    );
    expect(exported.json()).toMatchObject({ weights: pulled.path });
  });

  it("refuses what a mirror sends in place of the file, and names both digests", async () => {
    const mirror = new URL(".", server.url).href;
    const error = await failure("pull", "vgg16", "--mirror", mirror);
    expect(error).toMatchObject({
      exit: 2,
      code: "weights-unverified",
      details: { field: "md5", expected: "6d6bbae143d832006294945121d1f1fc" },
    });
  });

  it("says which file to bring where none is fetched", async () => {
    const error = await failure("pull", "vit-small");
    expect(error).toMatchObject({ exit: 3, code: "weights-missing" });
    expect(error.message).toContain("python -c");
  });
});

describe("hilum backbones export", () => {
  it("writes a file that ONNX Runtime runs, which says how its input is prepared", async () => {
    const out = join(folder, "mobilenet.onnx");
    const words = ["export", "mobilenet-v2", "--weights", weights, "--out", out, "--json"];
    const outcome = await hilum("backbones", ...words);
    expect(outcome.exitCode, outcome.stdout).toBe(0);
    expect(outcome.json()).toEqual({
      backbone: "mobilenet-v2",
      model: out,
      weights,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      isPublished: false,
      inputs: [{ name: "x", type: "float32", shape: ["N", 3, 224, 224] }],
      outputs: [
        { name: "features", type: "float32", shape: ["N", 1280, 7, 7] },
        { name: "probabilities", type: "float32", shape: ["N", 1000] },
      ],
    });
    const { metadata } = await readModelFile(out);
    expect(JSON.parse(metadata.get("hilum.preprocessing")!)).toMatchObject({
      order: "rgb",
      mean: expect.any(Array),
      deviation: expect.any(Array),
    });
    const { sha256 } = outcome.json<{ sha256: string }>();
    expect(JSON.parse(metadata.get("hilum.provenance")!)).toEqual({
      file: "mine.safetensors",
      sha256,
      isPublished: false,
    });
    expect(metadata.get("hilum.notice")).toContain("Not for clinical use");
    const session = await openSession(readModel(readFileSync(out)));
    const { features, probabilities } = await session.run({ x: filled([2, 3, 224, 224], 0.5) });
    await session.close();
    expect(features!.dims).toEqual([2, 1280, 7, 7]);
    const sum = Array.from(probabilities!.data, Number).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(2, 4);
  });

  it("leaves probabilities out where the file has no classifier, unless they are asked for", async () => {
    const out = join(folder, "bare.onnx");
    const words = ["export", "mobilenet-v2", "--weights", bare, "--out", out];
    expect((await hilum("backbones", ...words, "--json")).json()).toMatchObject({
      outputs: [{ name: "features" }],
    });
    rmSync(out);
    expect(await failure(...words, "--with-top")).toMatchObject({
      exit: 2,
      code: "weights-mismatch",
      details: { problem: "missing", tensor: "classifier.1.weight" },
    });
    expect(existsSync(out)).toBe(false);
  });

  const published = "../shared/weights/efficientnet-lite0.safetensors";
  it.skipIf(!existsSync(published))("knows the publisher's weights", async () => {
    const out = join(folder, "lite0.onnx");
    const words = ["export", "efficientnet-lite0", "--weights", published, "--out", out, "--json"];
    expect((await hilum("backbones", ...words)).json()).toMatchObject({ isPublished: true });
    const { metadata } = await readModelFile(out);
    expect(JSON.parse(metadata.get("hilum.provenance")!)).toMatchObject({
      isPublished: true,
      trainedOn: "ImageNet-1k",
      licence: "Apache-2.0",
    });
  });
});

describe("wrong words and files", () => {
  it.each([
    [["pul", "xception"], 2, "invalid-option", 'Did you mean "pull"?'],
    [["pull"], 2, "invalid-option", "hilum backbones pull NAME"],
    [["pull", "xceptoin"], 3, "unknown-model", 'Did you mean "xception"?'],
    [["pull", "xception", "--out", "x.onnx"], 2, "invalid-option", "--out is no option of pull"],
    [["--with-top"], 2, "invalid-option", "--with-top is no option of the list"],
    [["pull", "resnet18", "--file", "nowhere.pth"], 3, "file-not-found", "nowhere.pth"],
    [["pull", "xception", "--mirror", "ftp//x"], 2, "invalid-option", "ftp//x"],
    [["export", "resnet18"], 2, "invalid-option", "--out FILE.onnx"],
    [["export", "xception", "--out", "x.onnx"], 3, "weights-missing", "backbones pull xception"],
    [["export", "resnet18", "--weights", "no.h5", "--out", "x.onnx"], 3, "file-not-found", "no.h5"],
  ] as const)("%j is refused", async (words, exit, code, part) => {
    const error = await failure(...words);
    expect(error).toMatchObject({ exit, code });
    expect(error.message).toContain(part);
    expect(error.message).not.toContain("\n");
  });

  it("names the first difference of another network's weights", async () => {
    const before = readdirSync(folder);
    const out = join(folder, "wrong.onnx");
    const error = await failure("export", "resnet18", "--weights", weights, "--out", out);
    expect(error).toMatchObject({
      exit: 2,
      code: "weights-mismatch",
      details: { file: weights, problem: "missing", tensor: "conv1.weight" },
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  it("says how to convert a PyTorch file", async () => {
    const path = join(folder, "resnet.pth");
    writeFileSync(path, Uint8Array.of(0x80, 2, 0x63));
    const words = ["export", "resnet18", "--weights", path, "--out", join(folder, "x.onnx")];
    const error = await failure(...words);
    expect(error).toMatchObject({ exit: 4, code: "weights-unsupported" });
    expect(error.message).toContain("Convert it to safetensors: python -c");
  });
});
