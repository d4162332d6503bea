import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { referenceBytes, referencePath } from "../../test/support/reference-file.ts";
import { ModelProtoSchema } from "./generated/onnx_pb.ts";
import {
  openSession,
  readModelFile,
  readRunnable,
  weightsDigest,
  writeModelFile,
} from "./index.node.ts";
import {
  float32,
  graphBuilder,
  type Model,
  modelOf,
  operators as op,
  readModel,
  writeModel,
} from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hilum-external-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (name: string) => join(folder, name);

/** A weight large enough to go outside, and one that is not. */
function network(scale: number): Model {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 20]);
  const values = Float32Array.from({ length: 400 }, (_, index) => scale * index);
  const large = builder.parameter("large", float32([20, 20], values));
  const small = builder.parameter("small", float32([20], new Float32Array(20).fill(scale)));
  builder.output(op.add(op.matMul(x, large), small), "y");
  return modelOf(builder.build());
}

/** The path of a model with one float32 tensor of `count` values that lies elsewhere. */
function pointingTo(entries: Readonly<Record<string, string>>, count = 2): string {
  const path = inFolder("model.onnx");
  const tensor = {
    name: "w",
    dims: [BigInt(count)],
    dataType: 1,
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  };
  const proto = create(ModelProtoSchema, { irVersion: 10n, graph: { initializer: [tensor] } });
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
  return path;
}

const refused = (message: RegExp, code = "model-external-data") =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe("reading external data", () => {
  test("gives the weights, four-bit ones included, that another tool put there", async () => {
    const model = await readModelFile(referencePath("onnx/external.onnx"));
    const inside = readModel(referenceBytes("onnx/conv-net.onnx"));
    for (const [name, contents] of inside.graph.initializers)
      expect(model.graph.initializers.get(name)).toEqual(contents);
    const written = readModel(writeModel(model));
    expect(weightsDigest(written.graph)).toBe(weightsDigest(model.graph));
    expect(weightsDigest(model.graph)).not.toBe(weightsDigest(inside.graph));
  });

  test("needs the path of the model", () => {
    expect(() => readModel(referenceBytes("onnx/external.onnx"))).toThrow(
      refused(/initializer\[0\] "stem.weight".*Read the model by its path/),
    );
  });

  test("accepts a file in a folder below", async () => {
    mkdirSync(inFolder("weights"));
    writeFileSync(inFolder("weights/w.bin"), Buffer.from(Float32Array.of(0, 1, 2).buffer));
    const path = pointingTo({ location: "weights/w.bin", offset: "4" });
    const { graph } = await readModelFile(path);
    expect(Array.from(graph.initializers.get("w")!.data as Float32Array)).toEqual([1, 2]);
  });

  test.each(["../secret", "weights/../../secret", "..", ".", "/etc/passwd", "..\\secret"])(
    "never opens %s, which is outside of the model's folder",
    async (location) => {
      mkdirSync(inFolder("model"));
      writeFileSync(inFolder("secret"), new Uint8Array(8));
      copyFileSync(pointingTo({ location }), inFolder("model/model.onnx"));
      await expect(readModelFile(inFolder("model/model.onnx"))).rejects.toEqual(
        refused(/leaves the model's folder/),
      );
    },
  );

  test("never follows a link out of the folder, be it the file or a folder of it", async () => {
    const outside = mkdtempSync(join(tmpdir(), "hilum-outside-"));
    writeFileSync(join(outside, "w.bin"), new Uint8Array(8));
    symlinkSync(join(outside, "w.bin"), inFolder("w.bin"));
    symlinkSync(outside, inFolder("weights"));
    for (const location of ["w.bin", "weights/w.bin"])
      await expect(readModelFile(pointingTo({ location }))).rejects.toEqual(
        refused(/is a link out of the model's folder/),
      );
    rmSync(outside, { recursive: true });
  });

  test("follows a link within the folder", async () => {
    writeFileSync(inFolder("real.bin"), new Uint8Array(8));
    symlinkSync(inFolder("real.bin"), inFolder("w.bin"));
    const { graph } = await readModelFile(pointingTo({ location: "w.bin" }));
    expect(graph.initializers.get("w")?.data.length).toBe(2);
  });

  test("refuses a missing file, a short one, a folder and a pipe", async () => {
    await expect(readModelFile(pointingTo({ location: "w.bin" }))).rejects.toEqual(
      refused(/"w.bin" is missing/),
    );
    writeFileSync(inFolder("w.bin"), new Uint8Array(7));
    await expect(readModelFile(pointingTo({ location: "w.bin" }))).rejects.toEqual(
      refused(/is too short: 8 bytes are needed, 7 are there/),
    );
    mkdirSync(inFolder("d"));
    await expect(readModelFile(pointingTo({ location: "d" }))).rejects.toEqual(
      refused(/is not a plain file/),
    );
    execFileSync("mkfifo", [inFolder("pipe")]);
    await expect(readModelFile(pointingTo({ location: "pipe" }))).rejects.toEqual(
      refused(/is not a plain file/),
    );
  });

  test.each([
    [{}, /no sound location/],
    [{ location: "w.bin", offset: "-4" }, /no sound location/],
    [{ location: "w.bin", offset: "x" }, /no sound location/],
    [{ location: "w.bin", length: "1e300" }, /no sound location/],
    [{ location: "w.bin", length: "4" }, /has 4 bytes, but its shape \[2\] needs 8/],
  ])("refuses the entry %o", async (entries, message) => {
    writeFileSync(inFolder("w.bin"), new Uint8Array(8));
    await expect(readModelFile(pointingTo(entries))).rejects.toEqual(
      refused(message, "model-malformed"),
    );
  });

  test("refuses many tensors that claim the same bytes over and over", async () => {
    writeFileSync(inFolder("w.bin"), new Uint8Array(8));
    const initializer = Array.from({ length: 3 }, (_, index) => ({
      name: `w${index}`,
      dims: [2n],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: "location", value: "w.bin" }],
    }));
    const proto = create(ModelProtoSchema, { irVersion: 10n, graph: { initializer } });
    writeFileSync(inFolder("model.onnx"), toBinary(ModelProtoSchema, proto));
    await expect(readModelFile(inFolder("model.onnx"))).rejects.toEqual(
      refused(/exceed it by far/),
    );
  });
});

describe("writing external data", () => {
  test("puts large weights beside the model, aligned, and reads them back", async () => {
    const path = inFolder("net.onnx");
    const model = network(1);
    writeModelFile(path, model, { externalData: true });
    expect(readdirSync(folder).sort()).toEqual(["net.onnx", "net.onnx.data"]);
    expect(statSync(inFolder("net.onnx.data")).size).toBe(1600);
    expect(statSync(path).size).toBeLessThan(600);
    const again = await readModelFile(path);
    expect(weightsDigest(again.graph)).toBe(weightsDigest(model.graph));
  });

  test("starts every tensor at a multiple of 4096 bytes", async () => {
    const builder = graphBuilder();
    for (const name of ["a", "b", "c"])
      builder.output(
        op.relu(builder.parameter(name, float32([300], new Float32Array(300).fill(1)))),
        `${name}y`,
      );
    writeModelFile(inFolder("net.onnx"), modelOf(builder.build()), { externalData: true });
    expect(statSync(inFolder("net.onnx.data")).size).toBe(2 * 4096 + 1200);
    const bytes = readFileSync(inFolder("net.onnx.data"));
    expect([0, 4096, 8192].map((at) => bytes.readFloatLE(at))).toEqual([1, 1, 1]);
  });

  test("makes files that ONNX Runtime runs from their path", async () => {
    writeModelFile(inFolder("net.onnx"), network(2), { externalData: true });
    const { source } = await readRunnable(inFolder("net.onnx"));
    expect(source).toBe(inFolder("net.onnx"));
    const session = await openSession(source);
    const { y } = await session.run({ x: float32([1, 20], new Float32Array(20).fill(1)) });
    const inline = await openSession(network(2));
    const expected = await inline.run({ x: float32([1, 20], new Float32Array(20).fill(1)) });
    expect(y!.data).toEqual(expected.y!.data);
    await inline.close();
    await session.close();
  });

  test("replaces a model without touching the data that it reads until it is gone", async () => {
    const path = inFolder("net.onnx");
    writeModelFile(path, network(1), { externalData: true });
    const old = readFileSync(path);
    const oldData = readFileSync(inFolder("net.onnx.data"));
    writeModelFile(path, network(2), { externalData: true });
    expect(readdirSync(folder).sort()).toEqual(["net.onnx", "net.onnx.1.data"]);
    // As after a crash between the two files: the old model with both data files there.
    writeFileSync(path, old);
    writeFileSync(inFolder("net.onnx.data"), oldData);
    expect(weightsDigest((await readModelFile(path)).graph)).toBe(weightsDigest(network(1).graph));
    writeModelFile(path, network(3), { externalData: true });
    expect(readdirSync(folder).sort()).toEqual(["net.onnx", "net.onnx.2.data"]);
    writeModelFile(path, network(4), { externalData: true });
    expect(readdirSync(folder).sort()).toEqual(["net.onnx", "net.onnx.data"]);
    expect(weightsDigest((await readModelFile(path)).graph)).toBe(weightsDigest(network(4).graph));
  });

  test("writes a model that came from external data whole, with the tensors' texts", async () => {
    const model = await readModelFile(referencePath("onnx/external.onnx"));
    const path = inFolder("whole.onnx");
    writeModelFile(path, model);
    expect(readdirSync(folder)).toEqual(["whole.onnx"]);
    const again = await readModelFile(path);
    expect(weightsDigest(again.graph)).toBe(weightsDigest(model.graph));
    expect(
      readFileSync(path)
        .toString("latin1")
        .match(/outside/g),
    ).toHaveLength(4);
  });
});

describe("a model file", () => {
  test("that is missing, a folder, or cut short is refused by name", async () => {
    await expect(readModelFile(inFolder("none.onnx"))).rejects.toEqual(
      refused(/There is no model file ".*none.onnx"/, "file-not-found"),
    );
    await expect(readModelFile(folder)).rejects.toEqual(
      refused(/it is not a file/, "model-malformed"),
    );
    writeModelFile(inFolder("net.onnx"), network(1));
    truncateSync(inFolder("net.onnx"), 900);
    await expect(readModelFile(inFolder("net.onnx"))).rejects.toEqual(
      refused(/net.onnx: graph: \d+ bytes are announced/, "model-malformed"),
    );
  });

  test("that is larger than any ONNX file is refused before it is read", async () => {
    writeFileSync(inFolder("huge.onnx"), "");
    truncateSync(inFolder("huge.onnx"), 3 * 2 ** 30);
    await expect(readModelFile(inFolder("huge.onnx"))).rejects.toEqual(
      refused(/no ONNX file can have 3221225472 bytes/, "model-malformed"),
    );
  });
});
