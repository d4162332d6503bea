import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { networkEntry } from "../models/index.ts";
import { settingsOf, type TrainOptions } from "./options.ts";
import { beginRun, type RunConfig, refuseChanges, runFolder, withRunFolder } from "./run-folder.ts";

const settings = (options: TrainOptions = {}) =>
  settingsOf({ model: "cnn", ...options }, networkEntry("cnn").recipe, {
    metric: "auroc",
    threads: 2,
  });

const CONFIG: RunConfig = {
  format: 1,
  hilum: "0.0.0",
  data: "/films",
  settings: settings(),
  manifestSha256: "m",
  networkSha256: "n",
  leaks: [],
};
const RESULT = {
  bestEpoch: 1,
  metrics: { auroc: 0.5 },
  epochs: 1,
  images: { train: 2, validation: 1 },
};

const enter = (path: string, isResumed: boolean, work = async () => "done") =>
  withRunFolder(runFolder(path), { isResumed }, work);
const nowhere = () => join(fileTree([]), "run");

describe("a run's folder", () => {
  it("is absent, then started by its config, then finished by its result", () => {
    const folder = runFolder(fileTree([]));
    expect(folder.state()).toBe("absent");
    beginRun(folder, CONFIG);
    expect(folder.state()).toBe("started");
    expect(folder.config()).toEqual(CONFIG);
    folder.write("result", JSON.stringify(RESULT));
    expect(folder.state()).toBe("finished");
  });

  it("may be moved: its result names where it lies now", () => {
    const folder = runFolder(fileTree({ "result.json": JSON.stringify(RESULT) }));
    expect(folder.result()).toEqual({
      ...RESULT,
      run: folder.path,
      model: join(folder.path, "model.onnx"),
    });
  });

  it.each(["{", "null", '{"format":2}'])("with the config %s is damaged", (text) => {
    const folder = runFolder(fileTree({ "config.json": text }));
    expect(() => folder.config()).toThrow(expect.objectContaining({ code: "run-damaged" }));
  });
});

describe("withRunFolder", () => {
  it("makes the folder, and holds its lock while the work lasts", async () => {
    const path = nowhere();
    await enter(path, false, async () => {
      writeFileSync(join(path, "config.json"), JSON.stringify(CONFIG));
      const second = await rejection(enter(path, true));
      expect(second).toMatchObject({ code: "folder-locked", kind: "conflict" });
      return "";
    });
    expect(readdirSync(path)).toEqual(["config.json"]);
    expect(await enter(path, true)).toBe("done");
  });

  it("leaves no folder behind when nothing came into it", async () => {
    const path = nowhere();
    const failure = enter(path, false, () => Promise.reject(new Error("no data")));
    await expect(failure).rejects.toThrow("no data");
    expect(existsSync(path)).toBe(false);
  });

  it("leaves an empty folder that was there before", async () => {
    const path = fileTree([]);
    await enter(path, false);
    expect(existsSync(path)).toBe(true);
  });

  it("refuses a run that nobody asked to go on with", async () => {
    const path = fileTree({ "config.json": JSON.stringify(CONFIG) });
    const error = await rejection(enter(path, false));
    expect(error).toMatchObject({ code: "run-exists", kind: "conflict" });
    expect(error.message).toMatch(/--resume/);
  });

  it.each([false, true])("refuses files of another origin (resumed: %s)", async (isResumed) => {
    const path = fileTree(["thesis.txt"]);
    const error = await rejection(enter(path, isResumed));
    expect(error).toMatchObject({ code: "run-exists", details: { file: "thesis.txt" } });
    expect(readdirSync(path)).toEqual(["thesis.txt"]);
  });

  it("refuses a file, and a folder below one", async () => {
    const file = join(fileTree(["notes"]), "notes");
    expect(await rejection(enter(file, false))).toMatchObject({ code: "invalid-option" });
    expect(await rejection(enter(join(file, "run"), false))).toMatchObject({
      code: "file-forbidden",
      details: { reason: "ENOTDIR" },
    });
  });

  it("takes over from a process that died, and clears away what it was writing", async () => {
    const path = fileTree({
      ".lock": JSON.stringify({ pid: 2 ** 22 + 1, started: "1" }),
      ".config.json.77.tmp": "{",
    });
    mkdirSync(join(path, "checkpoints"));
    writeFileSync(join(path, "config.json"), JSON.stringify(CONFIG));
    writeFileSync(join(path, "checkpoints", ".last.safetensors.77.tmp"), "half");
    await enter(path, true);
    expect(readdirSync(path).sort()).toEqual(["checkpoints", "config.json"]);
    expect(readdirSync(join(path, "checkpoints"))).toEqual([]);
  });
});

describe("refuseChanges", () => {
  const folder = () => runFolder(fileTree({ "config.json": JSON.stringify(CONFIG) }));

  it("takes equal settings", () => {
    expect(() => refuseChanges(folder(), settings())).not.toThrow();
  });

  it.each<[string, TrainOptions, unknown, unknown]>([
    ["lr", { lr: 0.125 }, networkEntry("cnn").recipe.learningRate, 0.125],
    ["freeze", { freeze: ["stem"] }, [], ["stem"]],
    ["window", { window: { center: 1, width: 2 } }, null, { center: 1, width: 2 }],
    ["allowLeaks", { allowLeaks: true }, false, true],
  ])("names %s with its old and its new value", (option, options, before, now) => {
    expect(() => refuseChanges(folder(), settings(options))).toThrow(
      expect.objectContaining({
        code: "settings-changed",
        kind: "conflict",
        details: expect.objectContaining({ option, before, now }),
      }),
    );
  });
});
