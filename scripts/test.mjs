/** Types, lint and format, generated code, then tests; the last line counts what passed and failed. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

const REPORT = ".vitest-report.json";

const run = (name, ...words) =>
  spawnSync(`node_modules/.bin/${name}`, words, { stdio: "inherit" }).status === 0;

const checks = [
  run("tsc", "-p", "."),
  run("biome", "check", "--error-on-warnings", "."),
  run("tsx", "scripts/generate.ts", "--check"),
];
const isGreen = run("vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`);
const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(REPORT, "utf8"));
rmSync(REPORT);
const broken = checks.filter((isSound) => !isSound).length + (!isGreen && failed === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed + broken} failed`);
process.exit(failed + broken > 0 || passed === 0 ? 1 : 0);
