import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PAGES } from "../scripts/docs.ts";
import { ERROR_CODES } from "../src/errors.ts";

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && name !== "errors.ts")
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const source = filesOf("src");
const isTest = ({ name }: { name: string }) => name.includes(".test.");
const thrown = source.filter((file) => !isTest(file)).map(({ text }) => text);
const tested = [...source, ...filesOf("test")].filter(isTest).map(({ text }) => text);

it.each(Object.entries(PAGES))("%s says what the tables say (else: npm run docs)", (path, page) => {
  expect(readFileSync(path, "utf8")).toBe(page());
});

describe("the table of errors", () => {
  it.each(Object.keys(ERROR_CODES))("has %s thrown and tested", (code) => {
    expect(thrown.some((text) => text.includes(`"${code}"`))).toBe(true);
    expect(tested.some((text) => text.includes(code))).toBe(true);
  });
});
