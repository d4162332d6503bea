import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { withRunFolder } from "./occupancy.ts";
import { runFolder } from "./run-folder.ts";

const CONFIG = "{}";

const enter = (path: string, isResumed: boolean, work = async () => "done") =>
  withRunFolder(runFolder(path), { isResumed }, work);
const nowhere = () => join(fileTree([]), "run");

describe("withRunFolder", () => {
  it("makes the folder, and holds its lock while the work lasts", async () => {
    const path = nowhere();
    await enter(path, false, async () => {
      writeFileSync(join(path, "config.json"), CONFIG);
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
    const path = fileTree({ "config.json": CONFIG });
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
    writeFileSync(join(path, "config.json"), CONFIG);
    writeFileSync(join(path, "checkpoints", ".last.safetensors.77.tmp"), "half");
    await enter(path, true);
    expect(readdirSync(path).sort()).toEqual(["checkpoints", "config.json"]);
    expect(readdirSync(join(path, "checkpoints"))).toEqual([]);
  });
});
