import { readFileSync } from "node:fs";

/** A fixture of test/reference/evaluation, where the script that made it lies beside it. */
export function referenceOf<T>(name: string): T {
  const url = new URL(`../reference/evaluation/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as T;
}
