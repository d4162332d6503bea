/**
 * Holds our files against other tools, in Python environments that this makes for itself:
 * `npm run interop`. Prints what was measured, and last how many comparisons passed and failed.
 * With a folder as argument, the files stay there.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "../src/cli/table.ts";
import { checkBackbones } from "../test/interop/backbones.ts";
import { pythonEnvironment } from "../test/interop/environment.ts";
import { checkMlflow } from "../test/interop/mlflow.ts";
import { writeOurs } from "../test/interop/ours.ts";
import { isSound, type Row } from "../test/interop/row.ts";
import { checkTheirs } from "../test/interop/theirs.ts";

const MAIN = fileURLToPath(new URL("../test/interop/main.py", import.meta.url));

const kept = process.argv[2];
const work = kept ? resolve(kept) : mkdtempSync(join(tmpdir(), "hilum-interop-"));
mkdirSync(work, { recursive: true });
try {
  const python = pythonEnvironment();
  console.error("Training and writing files of every kind");
  const cases = await writeOurs(work);
  console.error("Reading them in Python");
  const read = [...askPython(python), ...(await checkTheirs(work, cases))];
  console.error("Training beside an MLflow server");
  const tracked = await checkMlflow(work, python);
  console.error("Exporting classifiers from PyTorch and Keras, training on them");
  const rows = [...read, ...tracked, ...(await checkBackbones(work))];
  console.log(table(summary(rows), ["check", "times", "largest", "limit", "failed"]));
  for (const { check, subject, measured } of rows.filter((row) => !isSound(row)))
    console.log(`FAILED ${check}, ${subject}: ${measured}`);
  const passed = rows.filter(isSound).length;
  console.log(`${passed} passed, ${rows.length - passed} failed`);
  process.exitCode = passed === rows.length ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  if (!kept) rmSync(work, { recursive: true, force: true });
}

/** A line for each check: how often it was made, and the largest difference met. */
function summary(rows: readonly Row[]): (string | number)[][] {
  const checks = [...new Set(rows.map(({ check }) => check))];
  return checks.map((check) => {
    const made = rows.filter((row) => row.check === check);
    const numbers = made
      .map(({ measured }) => measured)
      .filter((value) => typeof value === "number");
    const largest = numbers.length === 0 ? "refused" : Number(Math.max(...numbers).toPrecision(2));
    const failed = made.filter((row) => !isSound(row)).length;
    return [check, made.length, largest, made[0]!.limit, failed];
  });
}

function askPython(python: string): Row[] {
  const { status, stdout, stderr } = spawnSync(python, ["-B", MAIN, work], {
    encoding: "utf8",
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", PYTHONWARNINGS: "ignore" },
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`Python stopped (${status}):\n${stderr}`);
  return JSON.parse(stdout) as Row[];
}
