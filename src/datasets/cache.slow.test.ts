/** What only processes of their own can show: two at once, and one that is killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { buildImageCache } from "./cache.ts";
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

const packsOf = (cacheFolder: string) =>
  readdirSync(cacheFolder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".pack"))
    .map((name) => join(cacheFolder, name));

const unfinishedOf = (cacheFolder: string) =>
  readdirSync(cacheFolder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes(".unfinished-"),
  );

describe("a cache of many films", () => {
  const collect = (() => {
    setFlagsFromString("--expose-gc");
    return runInNewContext("gc") as () => void;
  })();
  /** Bytes of buffers that are still in use; what natives held is let go in the next turn. */
  const inUse = async () => {
    for (const _ of [1, 2]) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return process.memoryUsage().arrayBuffers;
  };

  it("holds places and not pixels in memory, built or found again, read in any order", async () => {
    const root = join(folder, "thousands");
    mkdirSync(root);
    const film = readFileSync((await phantoms())[0]!.path);
    const samples = Array.from({ length: 1500 }, (_, i) => {
      writeFileSync(join(root, `${i}.png`), Buffer.concat([film, Buffer.from(String(i))]));
      return sampleOf(root, `${i}.png`);
    });
    const size = 160;
    const pixels = samples.length * size * size;
    const batch = new Uint8Array(32 * size * size);
    for (const _ of ["built", "found"]) {
      const before = await inUse();
      const cache = await buildImageCache(samples, { size, dir });
      expect(cache.count).toBe(samples.length);
      for (let step = 0; step < 400; step++)
        cache.readInto(
          Array.from({ length: 32 }, (_, i) => (step * 7919 + i * 613) % samples.length),
          batch,
        );
      // A film keeps the number of its record and its digest.
      expect((await inUse()) - before).toBeLessThan(pixels / 25);
      cache.close();
    }
  });
});

describe("caches built by processes of their own", () => {
  const script = fileURLToPath(new URL("../../test/support/cache-builder.ts", import.meta.url));
  const start = (samples: readonly Sample[], size: number): ChildProcess =>
    spawn(process.execPath, ["--import", "tsx", script, JSON.stringify({ samples, dir, size })], {
      stdio: ["ignore", "pipe", "inherit"],
    });

  /** Runs to the end, or until the output matches, and then kills without warning. */
  async function finish(child: ChildProcess, killAt?: RegExp): Promise<string> {
    let text = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (killAt?.test(text)) child.kill("SIGKILL");
    });
    await once(child, "close");
    return text.match(/films .*/)?.[0] ?? "killed";
  }

  it("agree and leave nothing unfinished when two are built at once", async () => {
    const samples = await phantoms();
    const [one, other] = await Promise.all([
      finish(start(samples, SIZE)),
      finish(start(samples, SIZE)),
    ]);
    expect(one).toMatch(/^films 40 /);
    expect(other).toBe(one);
    expect(packsOf(dir).length).toBe(1);
    expect(unfinishedOf(dir)).toEqual([]);
  });

  it("go on after kill -9 with the blocks that were finished", async () => {
    // Sides of 1024 make blocks of 64 films: the kill falls into the second.
    const root = join(folder, "many");
    mkdirSync(root);
    const samples: Sample[] = [];
    for (const copy of [0, 1])
      for (const { key, path } of await phantoms()) {
        const name = `${copy}-${key.replace("/", "-")}`;
        // Bytes behind the last chunk change the content, not the film.
        writeFileSync(join(root, name), Buffer.concat([readFileSync(path), Buffer.from([copy])]));
        samples.push(sampleOf(root, name));
      }
    const killed = await finish(start(samples, 1024), /progress (6[5-9]|7\d)\n/);
    expect(killed).toBe("killed");
    const finished = packsOf(dir);
    expect(finished.length).toBe(1);
    const resumed = await finish(start(samples, 1024));
    expect(resumed).toMatch(/^films 80 /);
    expect(packsOf(dir)).toEqual(expect.arrayContaining(finished));
    renameSync(dir, `${dir}-resumed`);
    expect(await finish(start(samples, 1024))).toBe(resumed);
  });
});
