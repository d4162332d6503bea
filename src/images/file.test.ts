import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImage } from "./file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hilum-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readImage", () => {
  it("returns the film in a file", async () => {
    const path = join(folder, "film.png");
    await sharp(Uint8Array.from([1, 2, 3, 4]), { raw: { width: 2, height: 2, channels: 1 } })
      .png()
      .toFile(path);
    expect([...(await readImage(path)).pixels]).toEqual([1, 2, 3, 4]);
  });

  it("names a missing file, a folder and a file over the limit", async () => {
    const missing = join(folder, "missing.png");
    await expect(readImage(missing)).rejects.toMatchObject({ code: "file-not-found" });
    await expect(readImage(folder)).rejects.toMatchObject({ code: "image-unreadable" });
    await expect(readImage(join(folder, "missing.png", "x"))).rejects.toMatchObject({
      code: "file-not-found",
    });
    const long = join(folder, "long.png");
    await writeFile(long, new Uint8Array(100));
    await expect(readImage(long, { maxBytes: 99, name: "long.png" })).rejects.toMatchObject({
      code: "image-too-large",
      message: expect.stringContaining("long.png has 100 bytes"),
    });
  });

  it.skipIf(process.platform === "win32")("refuses a pipe instead of waiting for it", async () => {
    const pipe = join(folder, "pipe.png");
    execFileSync("mkfifo", [pipe]);
    await expect(readImage(pipe)).rejects.toMatchObject({
      code: "image-unreadable",
      message: expect.stringContaining("no regular file"),
    });
  });
});
