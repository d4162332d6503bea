import { hash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { digestsOf, filmsSeenBy } from "./run-films.ts";
import { runFolder } from "./run-folder.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-seen-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function film(name: string, contents: string): string {
  writeFileSync(join(root, name), contents);
  return join(root, name);
}

const line = (contents: string, split: string) =>
  `${JSON.stringify({ path: "elsewhere.png", split, sha256: hash("sha256", contents) })}\n`;

it("knows films by their contents, whatever they are called and wherever they lie", async () => {
  const folder = runFolder(root);
  folder.write("manifest", line("one", "train") + line("two", "train") + line("three", "val"));
  const paths = [film("a.png", "one"), film("b.png", "three"), film("c.png", "new")];
  expect(filmsSeenBy(folder, await digestsOf(paths))).toEqual({ trainedOn: 1, validatedOn: 1 });
});

it("says that a run is damaged where its manifest cannot be read", () => {
  const folder = runFolder(root);
  folder.write("manifest", "{");
  expect(() => filmsSeenBy(folder, [])).toThrow(expect.objectContaining({ code: "run-damaged" }));
});
