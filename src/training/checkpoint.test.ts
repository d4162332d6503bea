import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { float32 } from "../onnx/index.ts";
import { FIRST_PROGRESS, loadBest, loadLast, saveBest, saveLast } from "./checkpoint.ts";
import { type RunFolder, runFolder } from "./run-folder.ts";

const STATE = new Map([
  ["w", float32([2, 2], [1, -2, Number.NaN, 1e-40])],
  ["b", float32([], [3])],
]);
const PROGRESS = { ...FIRST_PROGRESS, epoch: 3, step: 7, lossSum: 0.1 + 0.2 };

let folder: RunFolder;
beforeEach(() => {
  folder = runFolder(fileTree(["checkpoints/.keep"]));
});

describe("checkpoints", () => {
  it("are not there before the first was written", () => {
    expect(loadLast(folder)).toBeUndefined();
    expect(() => loadBest(folder)).toThrow(/best\.safetensors is not there any more/);
  });

  it("bring back every bit of state and progress", () => {
    saveLast(folder, { state: STATE, progress: PROGRESS });
    const { state, progress } = loadLast(folder)!;
    expect(progress).toEqual(PROGRESS);
    for (const [name, { dims, data }] of STATE) {
      expect(state.get(name)!.dims).toEqual(dims);
      expect(Buffer.from(Float32Array.from(state.get(name)!.data as Float32Array).buffer)).toEqual(
        Buffer.from((data as Float32Array).buffer),
      );
    }
  });

  it("that are damaged are refused by name", () => {
    saveLast(folder, { state: STATE, progress: PROGRESS });
    const path = folder.file("last");
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    expect(() => loadLast(folder)).toThrow(
      expect.objectContaining({ code: "run-damaged", details: { path } }),
    );
  });

  it("without progress are refused", () => {
    saveBest(folder, STATE);
    writeFileSync(folder.file("last"), readFileSync(folder.file("best")));
    expect(() => loadLast(folder)).toThrow(/last\.safetensors does not say where training stood/);
    expect([...loadBest(folder).keys()].sort()).toEqual(["b", "w"]);
  });

  it("lie in the run's folder", () => {
    expect(folder.file("last")).toBe(join(folder.path, "checkpoints", "last.safetensors"));
  });
});
