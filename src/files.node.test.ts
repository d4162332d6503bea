import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { thrownBy } from "../test/support/rejection.ts";
import { guardDisk, writeFileAtomically } from "./files.node.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("writeFileAtomically", () => {
  it("replaces a file by its parts and leaves nothing else", () => {
    const path = join(folder, "whole.bin");
    writeFileSync(path, "old");
    writeFileAtomically(path, [Buffer.from("new "), Buffer.from("parts")]);
    expect(readFileSync(path, "utf8")).toBe("new parts");
    expect(readdirSync(folder)).toEqual(["whole.bin"]);
  });

  it("writes parts of text and of bytes in their order, however long", () => {
    const path = join(folder, "whole.bin");
    const long = "é".repeat(50_000);
    writeFileAtomically(path, ["a", "b", long, long, Buffer.from("c"), "", "d"]);
    expect(readFileSync(path, "utf8")).toBe(`ab${long}${long}cd`);
    writeFileAtomically(path, []);
    expect(readFileSync(path, "utf8")).toBe("");
  });

  it("leaves the old file as it was when it fails", () => {
    const path = join(folder, "whole.bin");
    const before = readFileSync(path);
    const parts = [Buffer.from("half"), null as unknown as Uint8Array];
    expect(() => writeFileAtomically(path, parts)).toThrow();
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(["whole.bin"]);
  });
});

describe("guardDisk", () => {
  it.skipIf(!existsSync("/dev/full"))("names the file that a full disk does not take", () => {
    const error = thrownBy(() => guardDisk("film.bin", () => writeFileSync("/dev/full", "x")));
    expect(error).toMatchObject({ code: "disk-full", details: { path: "film.bin" } });
    expect(error.message).toContain("Free some space");
  });

  it("passes other failures on", () => {
    const work = () => guardDisk("film.bin", () => readFileSync(join(folder, "missing")));
    expect(work).toThrow(/ENOENT/);
  });
});
