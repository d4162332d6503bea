import { hash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openDigestMemory } from "./cache-digest.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-digests-"));
const films = join(folder, "films");
mkdirSync(films);
const paths = Array.from({ length: 60 }, (_, i) => join(films, `${i}.png`));
for (const path of paths) writeFileSync(path, path);
const digests = paths.map((path) => hash("sha256", path));
const FALSE = "f".repeat(64);

let dir = "";
let number = 0;
beforeEach(() => {
  dir = join(folder, String(number++));
  mkdirSync(dir);
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = () => join(dir, "digests.txt");
const linesOf = () => readFileSync(file(), "latin1").split("\n").filter(Boolean);

/** What a memory opened anew says of the films at `paths`, which it writes down. */
async function ask(asked = paths): Promise<string[]> {
  const memory = await openDigestMemory(dir);
  try {
    const answers: string[] = [];
    for (const path of asked) answers.push(await memory.digest(path));
    await memory.save();
    return answers;
  } finally {
    memory.close();
  }
}

/** Lines with false digests: who answers with them has read the file and not the film. */
async function falseLines(): Promise<string[]> {
  await ask();
  return linesOf().map((line) => `${line.slice(0, 32)} ${FALSE}`);
}

describe("openDigestMemory", () => {
  it("answers from its file, which it leaves as it is, for films that it has seen", async () => {
    expect(await ask()).toEqual(digests);
    const lines = linesOf();
    expect(lines.map((line) => line.slice(33)).sort()).toEqual([...digests].sort());
    writeFileSync(file(), (await falseLines()).join("\n"));
    expect(await ask()).toEqual(paths.map(() => FALSE));
    expect(linesOf().length).toBe(paths.length);
  });

  it("lets the later of two lines win", async () => {
    const lines = await falseLines();
    const older = lines.map((line) => `${line.slice(0, 33)}${"0".repeat(64)}`);
    writeFileSync(file(), [...older, ...lines].join("\n"));
    expect(await ask()).toEqual(paths.map(() => FALSE));
  });

  it("passes over torn and foreign lines, wherever they are, and finds all others", async () => {
    const lines = await falseLines();
    const foreign = [
      "",
      "abc def",
      "\0garbage",
      lines[0]!.slice(0, 50),
      `${lines[1]} `,
      ` ${lines[1]}`,
      lines[2]!.toUpperCase(),
      lines[3]!.replace(" ", "-"),
      `${lines[4]}\r`,
      lines[5]! + lines[6]!,
      "a".repeat(200_000),
      `${lines[7]!.slice(0, -1)}g`,
    ];
    const text = lines.flatMap((line, i) => (i < 10 ? [] : [foreign[i % foreign.length]!, line]));
    writeFileSync(file(), [...foreign, ...text, ...foreign].join("\n"));
    expect(await ask()).toEqual(digests.map((digest, i) => (i < 10 ? digest : FALSE)));
  });

  it("finds lines across the parts in which it reads a file of some 100 KB", async () => {
    const lines = await falseLines();
    for (const shift of [0, 1, 33, 96, 97]) {
      const filling = Array.from({ length: 1300 }, (_, i) => {
        const other = hash("sha256", `${shift} ${i}`);
        return `${other.slice(0, 32)} ${other}`;
      });
      const mixed = filling.flatMap((line, i) => (i % 25 === 0 ? [line, lines[i / 25]!] : [line]));
      writeFileSync(file(), `${"x".repeat(shift)}\n${mixed.join("\n")}`);
      expect(await ask(paths.slice(0, 52))).toEqual(Array(52).fill(FALSE));
    }
  });

  it("takes up what two have appended at once, also after a torn line", async () => {
    const [one, other] = await Promise.all([openDigestMemory(dir), openDigestMemory(dir)]);
    for (const [i, path] of paths.entries()) {
      await (i % 3 === 0 ? other : one).digest(path);
      await other.digest(path);
      if (i % 20 === 10) {
        await one.save();
        appendFileSync(file(), "0123456789");
        await other.save();
      }
    }
    await Promise.all([one.save(), other.save()]);
    one.close();
    other.close();
    const before = linesOf().length;
    expect(await ask()).toEqual(digests);
    expect(linesOf().length).toBe(before);
  });

  it("reads a film again whose line was cut or written over since the file was opened", async () => {
    await ask();
    const spoilt = [
      () => truncateSync(file(), 500),
      // Whole lines at the same places, of other films.
      () => writeFileSync(file(), `\n${`${"0".repeat(32)} ${FALSE}\n`.repeat(paths.length)}`),
    ];
    const written = readFileSync(file());
    for (const spoil of spoilt) {
      writeFileSync(file(), written);
      const memory = await openDigestMemory(dir);
      spoil();
      expect(await Promise.all(paths.map((path) => memory.digest(path)))).toEqual(digests);
      memory.close();
    }
  });

  it("knows nothing where the file cannot be read", async () => {
    mkdirSync(file());
    const memory = await openDigestMemory(dir);
    expect(await memory.digest(paths[0]!)).toBe(digests[0]);
    memory.close();
  });

  it.skipIf(process.platform !== "linux")("lets go of its file when it is closed", async () => {
    await ask();
    const opened = () =>
      readdirSync("/proc/self/fd").filter((name) => {
        try {
          return readlinkSync(join("/proc/self/fd", name)) === file();
        } catch {
          return false;
        }
      });
    const memory = await openDigestMemory(dir);
    expect(opened().length).toBe(1);
    memory.close();
    expect(opened()).toEqual([]);
  });
});
