import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { DEMO_FILES, withDemoFolder } from "./folder.ts";
import { DEMO_DEFAULTS, demoSettings } from "./settings.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-demo-"));
afterAll(() => rmSync(root, { recursive: true }));

const SETTLED = { isFresh: false };
const enter = (folder: string, { isFresh } = SETTLED, settings = DEMO_DEFAULTS) =>
  withDemoFolder(folder, settings, { isFresh }, async () => readdirSync(folder));

describe("withDemoFolder", () => {
  it("makes the folder, writes down which demo it holds, and lets the same one in again", async () => {
    const folder = join(root, "new", "below");
    expect(await enter(folder)).toContain(DEMO_FILES.settings);
    expect(await enter(folder)).toContain(DEMO_FILES.settings);
    expect(readdirSync(folder)).toEqual([DEMO_FILES.settings]);
  });

  it("refuses a folder of other files, fresh or not, and leaves it as it was", async () => {
    const folder = join(root, "mine");
    mkdirSync(join(folder, DEMO_FILES.films), { recursive: true });
    for (const isFresh of [false, true])
      expect(await rejection(enter(folder, { isFresh }))).toMatchObject({
        code: "run-exists",
        details: { file: DEMO_FILES.films },
      });
    expect(readdirSync(folder)).toEqual([DEMO_FILES.films]);
    const file = join(root, "file");
    writeFileSync(file, "");
    expect((await rejection(enter(file))).code).toBe("invalid-option");
  });

  it("refuses a demo of other settings and names the first that differs", async () => {
    const folder = join(root, "other");
    await enter(folder);
    const error = await rejection(enter(folder, SETTLED, { ...DEMO_DEFAULTS, epochs: 99 }));
    expect(error.code).toBe("settings-changed");
    expect(error.message).toMatch(/epochs = \d+, not 99\. .*--fresh/);
  });

  it("removes what a demo left when it is to be fresh, and nothing else", async () => {
    const folder = join(root, "fresh");
    await enter(folder);
    for (const name of [DEMO_FILES.films, DEMO_FILES.unfinishedFilms, DEMO_FILES.run, "notes"])
      mkdirSync(join(folder, name));
    writeFileSync(join(folder, DEMO_FILES.settings), "{");
    expect((await rejection(enter(folder))).code).toBe("run-damaged");
    await enter(folder, { isFresh: true });
    expect(readdirSync(folder).sort()).toEqual([DEMO_FILES.settings, "notes"]);
  });

  it("lets one process in at a time", async () => {
    const folder = join(root, "locked");
    await withDemoFolder(folder, DEMO_DEFAULTS, SETTLED, async () => {
      expect((await rejection(enter(folder))).code).toBe("folder-locked");
    });
    await enter(folder);
    expect(existsSync(join(folder, ".lock"))).toBe(false);
  });
});

describe("demoSettings", () => {
  it("fills in defaults and refuses what no demo can be made of", () => {
    expect(demoSettings({})).toEqual(DEMO_DEFAULTS);
    expect(demoSettings({ films: 60, seed: 0 })).toEqual({ ...DEMO_DEFAULTS, films: 60, seed: 0 });
    for (const [option, value] of [
      ["films", 59],
      ["films", Number.NaN],
      ["epochs", 0],
      ["epochs", 1.5],
      ["seed", -1],
    ] as const)
      expect(() => demoSettings({ [option]: value })).toThrow(
        expect.objectContaining({
          code: "invalid-option",
          details: expect.objectContaining({ option }),
        }),
      );
    expect(() => demoSettings({ model: "cmm" })).toThrow(
      expect.objectContaining({ code: "unknown-model" }),
    );
  });
});
