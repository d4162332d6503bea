import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fileTree } from "../test/support/file-tree.ts";
import { lockFolder } from "./folder-lock.node.ts";

const locked = expect.objectContaining({ code: "folder-locked", kind: "conflict" });
const dead = (pid: number) => JSON.stringify({ pid, started: "1" });

describe("lockFolder", () => {
  it("names this process and when it started, and is gone when given back", () => {
    const folder = fileTree([]);
    const unlock = lockFolder(folder);
    expect(readdirSync(folder)).toEqual([".lock"]);
    expect(JSON.parse(readFileSync(join(folder, ".lock"), "utf8")).pid).toBe(process.pid);
    unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("refuses a second holder and names the first", () => {
    const folder = fileTree([]);
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(locked);
    expect(() => lockFolder(folder)).toThrow(`in use by process ${process.pid}`);
    unlock();
    lockFolder(folder)();
  });

  it.each([
    ["a process that is gone", dead(2 ** 22 + 1)],
    ["a process whose number another one has now", dead(process.pid)],
    ["nobody, after a power cut", ""],
    ["nobody, as JSON", "null"],
  ])("takes over from %s", (_, text) => {
    const folder = fileTree({ ".lock": text });
    const unlock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(locked);
    unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes over where a namesake died between naming itself and tidying up", () => {
    const own = `.lock.${process.pid}-1-abc`;
    const folder = fileTree({ [own]: dead(process.pid), [`.lock.${process.pid}-1-def`]: "" });
    linkSync(join(folder, own), join(folder, ".lock"));
    lockFolder(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes over where one died while it took over", () => {
    const [first, second] = [2 ** 22 + 1, 2 ** 22 + 2];
    const folder = fileTree({ ".lock": dead(first), [`.lock.of-${first}-1`]: dead(second) });
    const unlock = lockFolder(folder);
    expect(readdirSync(folder)).toEqual([".lock"]);
    unlock();
  });

  it("waits for none: one that takes over at this moment counts as the holder", () => {
    const folder = fileTree({ ".lock": dead(2 ** 22 + 1) });
    const rival = fileTree([]);
    const unlock = lockFolder(rival);
    writeFileSync(
      join(folder, `.lock.of-${2 ** 22 + 1}-1`),
      readFileSync(join(rival, ".lock"), "utf8"),
    );
    expect(() => lockFolder(folder)).toThrow(locked);
    unlock();
  });

  it("has one holder at a time, of several processes that take over from the dead", async () => {
    const folder = fileTree([]);
    const script = fileURLToPath(new URL("../test/support/lock-contender.ts", import.meta.url));
    const start = (): ChildProcess =>
      spawn(process.execPath, ["--import", "tsx", script, folder, "400"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
    const outcomes = await Promise.all(
      [start(), start(), start()].map(async (child) => {
        const [held, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
        if (child.exitCode === null) await once(child, "close");
        return { held: Number(held), errors, exitCode: child.exitCode };
      }),
    );
    for (const { held, errors, exitCode } of outcomes) {
      expect(errors).toBe("");
      expect(exitCode).toBe(0);
      expect(held).toBeGreaterThan(0);
    }
  });
});
