import { describe, expect, it } from "vitest";
import { LAYOUT_RULES } from "./rules.ts";
import { parseSource, readSource } from "./source.ts";

const SOURCE = readSource();

/** For each rule sources that it has to refuse, and close ones that it has to let pass. */
const CASES: Readonly<
  Record<string, { wrong: readonly Record<string, string>[]; right: Record<string, string> }>
> = {
  "every folder of src is a room of the plan": {
    wrong: [{ "src/extras/a.ts": "" }],
    right: { "src/onnx/extras/a.ts": "", "src/errors.ts": "" },
  },
  "rooms import one another in no cycle": {
    wrong: [
      {
        "src/onnx/a.ts": 'import { b } from "../autodiff/index.ts";',
        "src/autodiff/index.ts": 'export { c } from "../models/index.ts";',
        "src/models/index.ts": 'import type { A } from "../onnx/a.ts";',
      },
    ],
    right: {
      "src/onnx/a.ts": 'import { b } from "./b.ts";',
      "src/models/index.ts": 'import { A } from "../onnx/a.ts";',
    },
  },
  "files load one another in no cycle": {
    wrong: [
      { "src/onnx/a.ts": 'import "./b.ts";', "src/onnx/b.ts": 'export * from "./a.ts";' },
      { "src/onnx/a.ts": 'await import("./a.ts");' },
    ],
    right: {
      "src/onnx/a.ts": 'import "./b.ts";',
      "src/onnx/b.ts": 'import { type A } from "./a.ts"; export type { B } from "./a.ts";',
    },
  },
  "a room imports only rooms above it in the plan": {
    wrong: [
      { "src/images/a.ts": 'import type { A } from "../datasets/index.ts";' },
      { "src/demo/a.ts": 'const a = await import("../cli/main.ts");' },
    ],
    right: { "src/cli/a.ts": 'import { a } from "../demo/index.ts";' },
  },
  "only the command line imports the demo": {
    wrong: [{ "src/server/a.ts": 'import { a } from "../demo/index.ts";' }],
    right: { "src/cli/a.ts": 'import { a } from "../demo/index.ts";' },
  },
  "files outside of rooms import no room, but for the package's door": {
    wrong: [{ "src/random.ts": 'import { a } from "./onnx/index.ts";' }],
    right: { "src/index.ts": 'export { a } from "./onnx/index.ts";' },
  },
  "a room is imported through its door only": {
    wrong: [
      { "src/cli/a.ts": 'import { a } from "../onnx/graph.ts";' },
      { "src/index.ts": 'export type { A } from "./onnx/graph.ts";' },
      { "src/cli/a.ts": 'import { a } from "../onnx/operators/index.ts";' },
    ],
    right: {
      "src/cli/a.ts": 'import { a } from "../onnx/index.node.ts"; import "../errors.ts";',
      "src/onnx/a.ts": 'import { a } from "./operators/pooling.ts";',
    },
  },
  "what runs in a browser loads nothing of Node": {
    wrong: [
      { "src/onnx/a.ts": 'import { readFile } from "node:fs/promises";' },
      { "src/onnx/a.ts": 'import sharp from "sharp";' },
      { "src/onnx/a.ts": "const a = Buffer.from([]);" },
      { "src/errors.ts": "process.exit(1);" },
      { "src/onnx/a.ts": 'import { b } from "./b.node.ts";' },
      {
        "src/classifier/a.ts": 'import { b } from "../images/index.portable.ts";',
        "src/images/index.portable.ts": 'export { b } from "./b.ts";',
        "src/images/b.ts": 'import sharp from "sharp";',
      },
    ],
    right: {
      "src/onnx/a.node.ts": 'import { readFile } from "node:fs/promises"; Buffer.from([]);',
      "src/classifier/a.ts": 'import type { B } from "../images/index.ts"; signal.process();',
      "src/images/index.ts": 'import sharp from "sharp";',
      "src/onnx/b.ts": 'import { create } from "@bufbuild/protobuf";',
    },
  },
  "nothing is exported as default": {
    wrong: [
      { "src/onnx/a.ts": "export default 1;" },
      { "src/onnx/a.ts": "export default function a() {}" },
      { "src/onnx/a.ts": "const a = 1; export { a as default };" },
    ],
    right: {
      "src/onnx/a.ts": 'import { default as sharp } from "sharp"; switch (1) { default: }',
    },
  },
  "a file over 400 lines is listed with its reason": {
    wrong: [{ "src/onnx/a.ts": "\n".repeat(401) }],
    right: { "src/onnx/a.ts": "\n".repeat(400), "src/onnx/generated/onnx_pb.ts": "\n".repeat(900) },
  },
  "no file or folder is named after nothing in particular": {
    wrong: [{ "src/onnx/utils.ts": "" }, { "src/onnx/helpers/a.ts": "" }],
    right: { "src/onnx/element-types.ts": "" },
  },
};

const parsed = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, text]) => parseSource(path, text));

describe.each(LAYOUT_RULES)("the rule that $name", ({ name, find }) => {
  it("holds in src", () => {
    expect(find(SOURCE)).toEqual([]);
  });

  it("refuses every wrong source and lets right ones pass", () => {
    const { wrong, right } = CASES[name]!;
    for (const files of wrong) expect(find(parsed(files)), JSON.stringify(files)).not.toEqual([]);
    expect(find(parsed(right))).toEqual([]);
  });
});

it("the source is all there", () => {
  expect(SOURCE.length).toBeGreaterThan(150);
  expect(SOURCE.find(({ path }) => path === "src/cli/main.ts")?.imports.length).toBeGreaterThan(5);
});
