import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, describe, expect, it, vi } from "vitest";
import { hashes, values } from "../../../test/reference/trajectories/formula.ts";
import { referenceBytes, referencePath } from "../../../test/support/reference-file.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { kerasTensors } from "./keras-h5.node.ts";
import { readWeights } from "./read-weights.node.ts";

/** What make.py wrote, in the order of its layers. */
const TENSORS: Readonly<Record<string, readonly number[]>> = {
  "conv2d_2/kernel": [3, 2, 3, 4],
  "batch_normalization_1/beta": [4],
  "batch_normalization_1/moving_mean": [4],
  "batch_normalization_1/moving_variance": [4],
  "left/depthwise_kernel": [3, 3, 4, 1],
  "left/pointwise_kernel": [1, 1, 4, 6],
  "batch_normalization_2/gamma": [6],
  "batch_normalization_2/beta": [6],
  "batch_normalization_2/moving_mean": [6],
  "batch_normalization_2/moving_variance": [6],
  "right/kernel": [3, 3, 4, 6],
  "right/bias": [6],
  "predictions/kernel": [6, 2],
  "predictions/bias": [2],
};

const fixture = (name: string) => referencePath(`keras-files/${name}`);
const folder = mkdtempSync(join(tmpdir(), "hilum-keras-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, contents: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

describe("a file that Keras wrote", () => {
  const legacy = ["legacy.h5", "keras-1.h5", "cut-names.h5", "nested.h5", "whole.h5"];

  it.each([...legacy, "small.weights.h5", "small.keras"])("is read: %s", async (name) => {
    const { convention, tensors } = await readWeights(fixture(name));
    expect(convention).toBe("keras");
    const expected = Object.entries(TENSORS).map(([key, dims]) => [key, values(key, dims)]);
    expect(Object.fromEntries(tensors)).toEqual(Object.fromEntries(expected));
  });

  it.each(legacy)("gives its layers in their order: %s", async (name) => {
    const { tensors } = await readWeights(fixture(name));
    expect([...tensors.keys()]).toEqual(Object.keys(TENSORS));
  });

  it.each(["small.weights.h5", "small.keras"])(
    "gives layers of one kind in their order: %s",
    async (name) => {
      const { tensors } = await readWeights(fixture(name));
      for (const kind of [/conv2d|right/, /batch/])
        expect([...tensors.keys()].filter((key) => kind.test(key))).toEqual(
          Object.keys(TENSORS).filter((key) => kind.test(key)),
        );
    },
  );
});

describe("a file that is not as Keras writes it", () => {
  it.each([
    ["claims-much.h5", /60000 x 60000 numbers, more than the file can hold \(at .*kernel:0\)/],
    ["other-file.h5", /it holds no numbers \(at .*kernel:0\)/],
    ["half-precision.h5", /not of single or double precision \(at .*kernel:0\)/],
    ["big-endian.h5", /big-endian \(at .*kernel:0\)/],
    ["no-kernel.h5", /it is missing \(at .*kernel:0\)/],
  ])("is refused, the place named: %s", async (name, message) => {
    const error = await rejection(readWeights(fixture(name)));
    expect(error).toMatchObject({ code: "weights-malformed", details: { file: fixture(name) } });
    expect(error.message).toMatch(message);
  });

  it("is refused by one error wherever it is cut or damaged, and the next file is read", async () => {
    const bytes = referenceBytes("keras-files/legacy.h5");
    let refused = 0;
    for (let round = 0; round < 16; round++) {
      const random = hashes(`damage ${round}`, 41);
      const damaged = round % 3 > 0 ? bytes.slice() : bytes.slice(0, random[0]! % bytes.length);
      for (let index = 1; index <= 20; index++)
        damaged[random[index]! % damaged.length] = random[index + 20]! & 255;
      // Damage among the weights themselves shows in no structure.
      const error = await kerasTensors(damaged, "cut.h5").catch((thrown: unknown) => thrown);
      if (!(error instanceof Error)) continue;
      expect(error).toMatchObject({ code: "weights-malformed", details: { file: "cut.h5" } });
      expect(error.message).not.toContain("\n");
      refused++;
    }
    expect(refused).toBeGreaterThan(8);
    expect((await kerasTensors(bytes, "whole.h5")).tensors.size).toBe(14);
  });

  it("is the last that its copy of the HDF5 library reads, which whole files share", async () => {
    const bytes = referenceBytes("keras-files/legacy.h5");
    const { WebAssembly: engine } = globalThis as unknown as {
      WebAssembly: { instantiate(): void };
    };
    const copies = vi.spyOn(engine, "instantiate");
    const copiesMadeFor = async (contents: Uint8Array) => {
      const before = copies.mock.calls.length;
      await kerasTensors(contents, "some.h5").catch(() => undefined);
      return copies.mock.calls.length - before;
    };
    await copiesMadeFor(bytes);
    const cut = bytes.slice(0, 2000);
    const counts: number[] = [];
    for (const contents of [bytes, cut, bytes, bytes, cut, cut])
      counts.push(await copiesMadeFor(contents));
    copies.mockRestore();
    expect(counts).toEqual([0, 0, 1, 0, 0, 1]);
  });
});

describe("a Keras archive", () => {
  const weights = referenceBytes("keras-files/small.weights.h5");

  it("is read where it is packed as well", async () => {
    const path = written("packed.keras", zipSync({ "model.weights.h5": weights }, { level: 9 }));
    expect((await readWeights(path)).tensors.size).toBe(14);
  });

  it.each([
    ["empty.keras", { "config.json": strToU8("{}") }, /holds no model\.weights\.h5/],
    ["bomb.keras", { "model.weights.h5": new Uint8Array(2 ** 24) }, /claims to be 16777216 bytes/],
  ] as const)(
    "is refused where it holds no weights, or too much: %s",
    async (name, files, message) => {
      const error = await rejection(readWeights(written(name, zipSync(files, { level: 9 }))));
      expect(error).toMatchObject({ code: "weights-malformed" });
      expect(error.message).toMatch(message);
    },
  );

  it("is refused where it is cut, or claims less than it holds", async () => {
    const whole = zipSync({ "model.weights.h5": weights }, { level: 9 });
    const lying = whole.slice();
    // The size in the directory's entry, which is what is allocated.
    const entry = Buffer.from(lying).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    new DataView(lying.buffer).setUint32(entry + 24, 1000, true);
    for (const bytes of [whole.subarray(0, whole.length / 2), lying]) {
      const error = await rejection(readWeights(written("cut.keras", bytes)));
      expect(error).toMatchObject({ code: "weights-malformed" });
    }
  });
});
