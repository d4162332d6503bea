import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { networkEntry } from "../models/index.ts";
import { settingsOf, type TrainOptions } from "./options.ts";
import { beginRun, type RunConfig, refuseChanges, runFolder } from "./run-folder.ts";

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
  weights: null,
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
