import { readFileSync, writeFileSync } from "node:fs";
import { defineConfig } from "tsdown";

/**
 * Libraries of many small files, which are built in: loading `hilum train --help` took 0.53 s of
 * processor time with them outside, 0.20 s with them inside.
 */
const BUILT_IN = ["@bufbuild/protobuf", "commander", "picocolors", "typebox"];
const NOTICES = "dist/third-party-licences.txt";

const DOORS = {
  index: "src/index.ts",
  "onnx/index": "src/onnx/index.ts",
  "onnx/index.node": "src/onnx/index.node.ts",
  "autodiff/index": "src/autodiff/index.ts",
  "models/index": "src/models/index.ts",
  "models/index.node": "src/models/index.node.ts",
  "images/index": "src/images/index.ts",
  "datasets/index": "src/datasets/index.ts",
  "classifier/index": "src/classifier/index.ts",
  "classifier/index.node": "src/classifier/index.node.ts",
  "evaluation/index": "src/evaluation/index.ts",
  "training/index": "src/training/index.ts",
};

const SHARED = {
  format: "esm",
  platform: "node",
  target: "node20",
  fixedExtension: false,
  clean: false,
} as const;

// Code with those libraries inside; types that name them, for whoever needs types has them installed.
export default defineConfig([
  {
    ...SHARED,
    entry: { ...DOORS, "cli/main": "src/cli/main.ts" },
    dts: false,
    deps: {
      alwaysBundle: (id) => BUILT_IN.some((name) => id === name || id.startsWith(`${name}/`)),
      onlyBundle: BUILT_IN,
    },
    onSuccess: writeNotices,
  },
  { ...SHARED, entry: DOORS, dts: { emitDtsOnly: true } },
]);

/** The licences of what is built in ask to be kept beside copies of it. */
function writeNotices(): void {
  const notices = BUILT_IN.map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    return `${name} ${version}, ${license}\n\n${licenceText(folder)}`;
  });
  writeFileSync(NOTICES, notices.join(`\n${"-".repeat(78)}\n`));
}

function licenceText(folder: string): string {
  for (const name of ["LICENSE", "license", "LICENSE.md", "LICENSE.txt", "LICENCE"])
    try {
      return readFileSync(`${folder}/${name}`, "utf8");
    } catch {}
  // A package without the file says it at the top of its code.
  return readFileSync(`${folder}/dist/esm/index.js`, "utf8").match(/^(\/\/.*\n)+/)?.[0] ?? "";
}
