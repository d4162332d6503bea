import { beforeAll, describe, expect, it } from "vitest";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { writeSmallClassifier } from "../support/small-classifier.ts";

const hilum = commandLine();
let films: string;
let model: string;

beforeAll(async () => {
  const phantoms = await phantomFolder({ count: 2, size: 48 });
  films = phantoms.films;
  model = phantoms.place("model.onnx");
  writeSmallClassifier(model);
});

describe("starting up", () => {
  it("loads no library to show help", async () => {
    expect(await hilum.packagesOf("--help")).toEqual([]);
  });

  it("loads the engine and the decoder only to read films", async () => {
    const packages = await hilum.packagesOf("predict", model, films, "--json");
    const belowSharp = ["@img/colour", "detect-libc", "semver"];
    const own = packages.filter((name) => !belowSharp.includes(name));
    expect(own).toEqual(["onnxruntime-node", "sharp"]);
  });

  it("loads tables besides, where people read", async () => {
    expect(await hilum.packagesOf("predict", model, films)).toContain("cli-table3");
  });
});
