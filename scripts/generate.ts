/** Regenerates src/onnx/generated from src/onnx/proto; with --check fails when it is out of date. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TARGET = "src/onnx/generated";

function generate(out: string): void {
  const template = {
    version: "v2",
    plugins: [
      {
        local: ["node_modules/.bin/protoc-gen-es"],
        out,
        opt: ["target=ts", "import_extension=ts"],
      },
    ],
  };
  execFileSync(
    "node_modules/.bin/buf",
    ["generate", "src/onnx/proto", "--template", JSON.stringify(template)],
    { stdio: "inherit" },
  );
}

if (process.argv.includes("--check")) {
  const folder = mkdtempSync(join(tmpdir(), "hilum-generate-"));
  generate(folder);
  const stale = readdirSync(folder).filter(
    (name) => readFileSync(join(folder, name), "utf8") !== readFileSync(join(TARGET, name), "utf8"),
  );
  rmSync(folder, { recursive: true });
  if (stale.length > 0) {
    console.error(`${stale.join(", ")} in ${TARGET} is out of date: run npm run generate.`);
    process.exit(1);
  }
} else generate(TARGET);
