import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { writeSmallClassifier } from "../../test/support/small-classifier.ts";
import { withDemoFolder } from "./folder.ts";
import { runReadingDemo } from "./reading-demo.ts";
import { SYNTHETIC_BANNER } from "./reading-page.ts";
import { DEMO_DEFAULTS } from "./settings.ts";

let root: string;
beforeEach(() => {
  root = fileTree({ "broken.png": "no picture" });
  const model = join(root, "small.onnx");
  writeSmallClassifier(model, undefined, {
    operatingPoint: { threshold: 0.375, rule: "for the test" },
  });
  vi.stubEnv("HILUM_MODEL", model);
});
afterEach(() => vi.unstubAllEnvs());

const picturesOf = (page: string) => page.match(/<img src="data:image\/jpeg;base64,[\w+/]{500,}/g);

describe("runReadingDemo", () => {
  it("draws films of both classes where none are named, and marks the page as synthetic", async () => {
    const out = join(root, "demo");
    const kinds: string[] = [];
    const result = await runReadingDemo({ out, onEvent: ({ kind }) => kinds.push(kind) });
    expect([...new Set(kinds)]).toEqual(["drawing", "reading", "explaining"]);
    expect(result).toMatchObject({ synthetic: true, positive: "PNEUMONIA", threshold: 0.375 });
    const page = readFileSync(result.page, "utf8");
    for (const words of [SYNTHETIC_BANNER, "Not for clinical use", "drawn as NORMAL", "(lobar)"])
      expect(page).toContain(words);
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(picturesOf(page)!.length).toBe(result.readings.length);
    for (const { reading } of result.readings)
      expect(page).toContain(
        `<b>${reading!.label}</b> probability ${reading!.probability!.toFixed(3)}, operating point 0.375`,
      );
    // The page of the other demo may stand beside it.
    await withDemoFolder(out, DEMO_DEFAULTS, { isFresh: false }, async () => {});
  });

  it("reads the films named, says of one why it cannot be read, and calls nothing synthetic", async () => {
    const drawn = await runReadingDemo({ out: join(root, "drawn") });
    const [film] = drawn.readings;
    const films = [join(root, "broken.png"), film!.path];
    const { readings, page, synthetic } = await runReadingDemo({ films, out: join(root, "own") });
    expect(synthetic).toBe(false);
    expect(readings[0]!.error!.code).toBe("image-unrecognised");
    expect(readings[1]).toEqual(film);
    const html = readFileSync(page, "utf8");
    expect(html).not.toContain(SYNTHETIC_BANNER);
    expect(html).toContain("broken.png");
    expect(picturesOf(html)!.length).toBe(1);
  });

  it("leaves a folder of other files as it was", async () => {
    const out = join(root, "mine");
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "mine");
    expect((await rejection(runReadingDemo({ out }))).code).toBe("run-exists");
    expect(readdirSync(out)).toEqual(["thesis.txt"]);
  });

  it("says that the shipped model is missing before it makes anything", async () => {
    vi.stubEnv("HILUM_MODEL", join(root, "none.onnx"));
    const out = join(root, "none");
    expect((await rejection(runReadingDemo({ out }))).message).toMatch(/^The shipped model is not/);
    expect(existsSync(out)).toBe(false);
  });
});
