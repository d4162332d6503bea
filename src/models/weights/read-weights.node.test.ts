import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../../test/support/rejection.ts";
import { writeModelFile } from "../../onnx/index.node.ts";
import { float32, type Graph, modelOf, tensorBytes, writeSafetensors } from "../../onnx/index.ts";
import { backboneEntry } from "../backbones/table.ts";
import { backboneGraph } from "./backbone-graph.ts";
import { readWeights } from "./read-weights.node.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-weights-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, contents: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const PUBLISHED = "../shared/weights/efficientnet-lite0.safetensors";

describe("readWeights", () => {
  it("reads safetensors, told by their contents", async () => {
    const tensors = new Map([["layer.weight", float32([2], [1, 2])]]);
    const path = written("weights.dat", writeSafetensors({ tensors, metadata: {} }));
    expect(await readWeights(path)).toEqual({ source: path, convention: "torch", tensors });
  });

  it("reads the parameters of an ONNX file, which fit the backbone that it was made from", async () => {
    const entry = backboneEntry("efficientnet-lite0");
    const graph = backboneGraph(entry, { withTop: true });
    const path = join(folder, "backbone.onnx");
    writeModelFile(path, modelOf(graph));
    const again = backboneGraph(entry, { weights: await readWeights(path) });
    const weightsOf = ({ initializers }: Graph) =>
      Buffer.from(tensorBytes(initializers.get("_fc.weight")!));
    expect(weightsOf(again).equals(weightsOf(graph))).toBe(true);
    expect([...again.initializers.keys()]).toEqual([...graph.initializers.keys()]);
  });

  it.skipIf(!existsSync(PUBLISHED))("reads published weights that fit their network", async () => {
    const weights = await readWeights(PUBLISHED);
    const graph = backboneGraph(backboneEntry("efficientnet-lite0"), { weights });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["features", "probabilities"]);
    await expect(async () =>
      backboneGraph(backboneEntry("efficientnet-lite1"), { weights }),
    ).rejects.toMatchObject({ code: "weights-mismatch", details: { problem: "shape" } });
  });

  it("says how to convert what holds a pickle or NumPy arrays", async () => {
    const pickle = Uint8Array.of(0x80, 2, 0x63);
    const files = {
      "zipped.pth": zipSync({ "archive/data.pkl": pickle, "archive/version": pickle }),
      unnamed: zipSync({ "archive/data.pkl": pickle }),
      "old.pt": pickle,
      "arrays.npz": zipSync({ "conv1.npy": pickle }),
    };
    for (const [name, contents] of Object.entries(files)) {
      const path = written(name, contents);
      const error = await rejection(readWeights(path));
      expect(error).toMatchObject({ code: "weights-unsupported", kind: "unsupported" });
      expect(error.message).toMatch(/^[^\n]*Convert it to safetensors: python -c "[^"\n]*"$/);
      expect(error.message).toContain(`.safetensors')`);
    }
  });

  it("refuses what is no weight file", async () => {
    const text = written("notes.txt", Buffer.from("weights"));
    expect(await rejection(readWeights(text))).toMatchObject({
      code: "weights-unsupported",
      details: { file: text, format: null },
    });
    const empty = written("empty.safetensors", Buffer.alloc(0));
    expect(await rejection(readWeights(empty))).toMatchObject({ code: "weights-unsupported" });
    expect(await rejection(readWeights(join(folder, "nowhere.h5")))).toMatchObject({
      code: "file-not-found",
    });
  });
});
