import { hash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { defaultCacheFolder } from "../cache-folder.node.ts";
import { readImage, resizeImages } from "../images/index.ts";
import { openSession } from "../onnx/index.node.ts";
import { graphBuilder } from "../onnx/index.ts";
import { buildImageCache, type ImageCache } from "./cache.ts";
import { concurrently } from "./cache-film.ts";
import type { Sample } from "./dataset.ts";
import { writePhantomDataset } from "./phantom/phantom-dataset.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-cache-"));
const SIZE = 24;
let dir = "";
let number = 0;
beforeEach(() => {
  dir = join(folder, `cache-${number++}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const sampleOf = (root: string, key: string): Sample => ({
  key,
  path: join(root, key),
  split: null,
  target: [1, 0],
  patient: key,
  columns: {},
});

const films = join(folder, "films");
const plan = writePhantomDataset(films, { count: 40, size: 48, seed: 3 });
const phantoms = async () => (await plan).map(({ key }) => sampleOf(films, key));

/** All films of a cache, which is closed. */
function contents(cache: ImageCache): Uint8Array {
  const out = new Uint8Array(cache.count * cache.size * cache.size);
  cache.readInto(
    Array.from({ length: cache.count }, (_, i) => i),
    out,
  );
  cache.close();
  return out;
}

const packsOf = (cacheFolder: string) =>
  readdirSync(cacheFolder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".pack"))
    .map((name) => join(cacheFolder, name));

const unfinishedOf = (cacheFolder: string) =>
  readdirSync(cacheFolder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes(".unfinished-"),
  );

describe("buildImageCache", () => {
  it("holds what reading and resizing each film gives, in the samples' order", async () => {
    const samples = await phantoms();
    const cache = await buildImageCache(samples, { size: SIZE, dir });
    expect(cache.samples).toEqual(samples);
    expect(cache.problems).toEqual([]);
    const builder = graphBuilder();
    const input = builder.input("images", "uint8", ["N", "H", "W"]);
    builder.output(resizeImages(input, { size: SIZE, fit: "squash" }), "films");
    const session = await openSession(builder.build());
    const out = new Uint8Array(2 * SIZE * SIZE);
    for (const index of [0, 17, 39]) {
      const { width, height, pixels } = await readImage(samples[index]!.path);
      const images = { type: "uint8", dims: [1, height, width], data: pixels } as const;
      const { films: expected } = await session.run({ images });
      cache.readInto([5, index], out);
      expect(Array.from(out.subarray(SIZE * SIZE))).toEqual(
        Array.from(expected!.data as Float32Array),
      );
    }
    await session.close();
    cache.close();
  });

  it("finds the films of an earlier run, also under other names, without reading them again", async () => {
    const samples = await phantoms();
    const first = contents(await buildImageCache(samples, { size: SIZE, dir }));
    const packs = packsOf(dir);
    const copies = join(folder, "copies");
    mkdirSync(copies);
    const renamed = samples.map((sample, i) => {
      copyFileSync(sample.path, join(copies, `${i}.png`));
      return sampleOf(copies, `${i}.png`);
    });
    expect(contents(await buildImageCache(renamed, { size: SIZE, dir }))).toEqual(first);
    expect(packsOf(dir)).toEqual(packs);
  });

  it("keeps films of other settings apart", async () => {
    const samples = (await phantoms()).slice(0, 3);
    const squashed = contents(await buildImageCache(samples, { size: SIZE, dir }));
    const padded = contents(await buildImageCache(samples, { size: SIZE, dir, fit: "pad" }));
    const smaller = contents(await buildImageCache(samples, { size: 8, dir }));
    expect(padded).not.toEqual(squashed);
    expect(smaller.length).toBe(3 * 64);
    expect(packsOf(dir).length).toBe(3);
  });

  it("maps 16-bit films through the window given", async () => {
    const path = join(folder, "deep.png");
    await sharp(new Uint16Array(64).fill(1500), { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toFile(path);
    const cache = await buildImageCache([sampleOf(folder, "deep.png")], {
      size: 8,
      dir,
      window: { center: 2000, width: 2000 },
    });
    expect([...contents(cache)]).toEqual(Array(64).fill(64));
  });

  it("leaves out what cannot be read and names each, or stops at it under strict", async () => {
    const root = join(folder, "mixed");
    mkdirSync(root);
    const good = (await phantoms())[0]!;
    copyFileSync(good.path, join(root, "a.png"));
    writeFileSync(join(root, "b.png"), "no film");
    writeFileSync(join(root, "c.png"), readFileSync(good.path).subarray(0, 900));
    writeFileSync(join(root, "d.png"), readFileSync(good.path).subarray(0, 900));
    writeFileSync(join(root, "e.dcm"), Buffer.from(`${"\0".repeat(128)}DICM`));
    copyFileSync(good.path, join(root, "f.png"));
    const samples = ["a.png", "b.png", "c.png", "d.png", "e.dcm", "f.png", "gone.png"].map((key) =>
      sampleOf(root, key),
    );
    const cache = await buildImageCache(samples, { size: SIZE, dir });
    expect(cache.samples.map(({ key }) => key)).toEqual(["a.png", "f.png"]);
    expect(cache.problems.map(({ code, key, severity }) => [code, key, severity])).toEqual([
      ["image-unrecognised", "b.png", "error"],
      ["image-malformed", "c.png", "error"],
      ["image-malformed", "d.png", "error"],
      ["image-unsupported", "e.dcm", "error"],
      ["file-not-found", "gone.png", "error"],
    ]);
    for (const { key, message } of cache.problems) expect(message).toContain(key);
    const both = contents(cache);
    expect(both.subarray(0, SIZE * SIZE)).toEqual(both.subarray(SIZE * SIZE));
    await expect(buildImageCache(samples, { size: SIZE, dir, strict: true })).rejects.toMatchObject(
      {
        kind: "bad-input",
        message: expect.stringContaining("b.png"),
      },
    );
  });

  it("gives each film its own pixels and digest where those between cannot be read", async () => {
    const root = join(folder, "gaps");
    mkdirSync(root);
    const originals = (await phantoms()).slice(0, 12);
    const torn = readFileSync(originals[0]!.path).subarray(0, 900);
    const samples = originals.flatMap((sample, i) => {
      copyFileSync(sample.path, join(root, `${i}.png`));
      writeFileSync(join(root, `${i}-torn.png`), torn);
      return [sampleOf(root, `${i}-torn.png`), sampleOf(root, `${i}.png`)];
    });
    const whole = contents(await buildImageCache(originals, { size: SIZE, dir: `${dir}-whole` }));
    for (const _ of ["built", "found"]) {
      const cache = await buildImageCache(samples, { size: SIZE, dir });
      expect(cache.samples.map(({ key }) => key)).toEqual(originals.map((_, i) => `${i}.png`));
      expect(originals.map((_, i) => cache.digestAt(i))).toEqual(
        originals.map(({ path }) => hash("sha256", readFileSync(path))),
      );
      expect(cache.problems.map(({ key }) => key)).toEqual(
        originals.map((_, i) => `${i}-torn.png`),
      );
      for (const { key, message } of cache.problems) expect(message).toContain(key);
      expect(contents(cache)).toEqual(whole);
    }
  });

  it("notices that a file changed, though its size and time stay the same", async () => {
    const root = join(folder, "changing");
    mkdirSync(root);
    const [first, second] = await Promise.all(
      [40, 90].map((value) =>
        sharp(new Uint8Array(64).fill(value), { raw: { width: 8, height: 8, channels: 1 } })
          .png({ compressionLevel: 0 })
          .toBuffer(),
      ),
    );
    const path = join(root, "film.png");
    const samples = [sampleOf(root, "film.png")];
    const time = new Date(1_700_000_000_000);
    writeFileSync(path, first!);
    utimesSync(path, time, time);
    expect(contents(await buildImageCache(samples, { size: 8, dir }))[0]).toBe(40);
    expect(second!.length).toBe(first!.length);
    writeFileSync(path, second!);
    utimesSync(path, time, time);
    expect(contents(await buildImageCache(samples, { size: 8, dir }))[0]).toBe(90);
  });

  it("makes damaged packs again, wherever the damage is", async () => {
    const samples = await phantoms();
    const whole = contents(await buildImageCache(samples, { size: SIZE, dir }));
    const [pack] = packsOf(dir);
    const written = readFileSync(pack!);
    const { length } = written;
    const damages: (() => void)[] = [
      () => overwrite(pack!, 100),
      () => overwrite(pack!, 40 * SIZE * SIZE + 20),
      () => overwrite(pack!, length - 20),
      () => truncateSync(pack!, length - 1),
      () => truncateSync(pack!, 0),
      () => appendFileSync(pack!, "x"),
    ];
    for (const damage of damages) {
      damage();
      expect(readFileSync(pack!).equals(written)).toBe(false);
      expect(contents(await buildImageCache(samples, { size: SIZE, dir }))).toEqual(whole);
    }
    writeFileSync(join(dir, "digests.txt"), "\0garbage\n\nabc def\n");
    expect(contents(await buildImageCache(samples, { size: SIZE, dir }))).toEqual(whole);
  });

  it("serves films whose files are gone by now no longer, and says so", async () => {
    const root = join(folder, "vanishing");
    mkdirSync(root);
    const good = (await phantoms())[0]!;
    copyFileSync(good.path, join(root, "film.png"));
    const samples = [sampleOf(root, "film.png")];
    const cache = await buildImageCache(samples, { size: SIZE, dir });
    unlinkSync(join(root, "film.png"));
    expect(contents(cache).length).toBe(SIZE * SIZE);
    const again = await buildImageCache(samples, { size: SIZE, dir });
    expect([again.count, again.problems[0]?.code]).toEqual([0, "file-not-found"]);
    again.close();
  });

  it("says which film is lost when a pack shrinks under an open cache", async () => {
    const cache = await buildImageCache(await phantoms(), { size: SIZE, dir });
    truncateSync(packsOf(dir)[0]!, 0);
    expect(() => cache.readInto([3], new Uint8Array(SIZE * SIZE))).toThrow(
      expect.objectContaining({ code: "cache-damaged" }),
    );
    cache.close();
  });

  it("removes what killed processes left, once it is old", async () => {
    const samples = (await phantoms()).slice(0, 2);
    (await buildImageCache(samples, { size: SIZE, dir })).close();
    const inside = join(packsOf(dir)[0]!, "..");
    const longAgo = new Date(Date.now() - 7_200_000);
    writeFileSync(join(inside, ".unfinished-1-a"), "old");
    utimesSync(join(inside, ".unfinished-1-a"), longAgo, longAgo);
    writeFileSync(join(inside, ".unfinished-2-b"), "of a living process");
    (await buildImageCache(samples, { size: SIZE, dir })).close();
    expect(unfinishedOf(dir)).toEqual([expect.stringMatching(/\.unfinished-2-b$/)]);
  });

  it("stops when asked to, and keeps what is done", async () => {
    const samples = await phantoms();
    const stopping = new AbortController();
    const stopped = buildImageCache(samples, {
      size: SIZE,
      dir,
      signal: stopping.signal,
      onProgress: () => stopping.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
    (await buildImageCache(samples, { size: SIZE, dir })).close();
  });

  it("names a folder that cannot be written, and sizes that make no sense", async () => {
    writeFileSync(join(folder, "file"), "");
    const samples = await phantoms();
    await expect(
      buildImageCache(samples, { size: SIZE, dir: join(folder, "file", "x") }),
    ).rejects.toMatchObject({ code: "cache-unwritable" });
    for (const size of [0, 1.5, 5000])
      await expect(buildImageCache(samples, { size, dir })).rejects.toMatchObject({
        code: "invalid-option",
      });
  });

  it("is kept where HILUM_CACHE says", () => {
    const before = process.env.HILUM_CACHE;
    process.env.HILUM_CACHE = "/elsewhere";
    expect(defaultCacheFolder()).toBe("/elsewhere");
    delete process.env.HILUM_CACHE;
    expect(defaultCacheFolder()).toMatch(/hilum$/);
    if (before !== undefined) process.env.HILUM_CACHE = before;
  });
});

describe("concurrently", () => {
  it("throws the error of the earliest item, whichever comes first, and begins no further one", async () => {
    const begun: number[] = [];
    const work = concurrently([0, 1, 2, 3, 4, 5], 3, async (item) => {
      begun.push(item);
      if (item === 0) return;
      // The later item fails while the earlier one is still under way.
      for (let turns = item === 1 ? 20 : 1; turns > 0; turns--) await Promise.resolve();
      throw new Error(`item ${item}`);
    });
    await expect(work).rejects.toThrow("item 1");
    expect(begun).not.toContain(5);
  });

  it("returns results in the items' order", async () => {
    const results = await concurrently([30, 1, 2], 3, async (turns) => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      return turns;
    });
    expect(results).toEqual([30, 1, 2]);
  });
});

/** Changes four bytes. */
function overwrite(path: string, at: number): void {
  const descriptor = openSync(path, "r+");
  const bytes = readFileSync(path).subarray(at, at + 4);
  writeSync(
    descriptor,
    bytes.map((value) => value ^ 0x55),
    0,
    bytes.length,
    at,
  );
  closeSync(descriptor);
}
