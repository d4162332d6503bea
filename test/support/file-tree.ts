/** Folders of small files for tests; removed when the test file is done. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

/** A new folder with the files: a list of empty ones, or contents by path. Returns its path. */
export function fileTree(
  files: readonly string[] | Readonly<Record<string, string | Uint8Array>>,
): string {
  const root = mkdtempSync(join(tmpdir(), "hilum-tree-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const contents: Readonly<Record<string, string | Uint8Array>> = isList(files)
    ? Object.fromEntries(files.map((file) => [file, ""]))
    : files;
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const isList = (files: object): files is readonly string[] => Array.isArray(files);
