/** Types, lint and format, then tests; the last line counts them. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

const types = spawnSync("node_modules/.bin/tsc", ["-p", "."], { stdio: "inherit" });
const report = ".vitest-report.json";
const lint = spawnSync(
  "node_modules/.bin/biome",
  ["check", "--error-on-warnings", "src", "test", "scripts", "bench", "biome.json", "vitest.config.ts", "tsdown.config.ts"],
  { stdio: "inherit" },
);
const tests = spawnSync(
  "node_modules/.bin/vitest",
  ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  { stdio: "inherit" },
);
const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, "utf8"));
rmSync(report);
const problems = failed + (types.status === 0 ? 0 : 1) + (lint.status === 0 ? 0 : 1) + (tests.status !== 0 && failed === 0 ? 1 : 0);
console.log(`${passed} passed, ${problems} failed`);
process.exit(problems > 0 || passed === 0 ? 1 : 0);
