/** Python environments of its own for interop, kept in the user's cache between calls. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The interpreter of an environment that holds what the file beside this one lists; makes the
 * environment where it is not there or not complete.
 */
export function pythonEnvironment(list = "requirements.txt"): string {
  const requirements = fileURLToPath(new URL(list, import.meta.url));
  const python = process.env.PYTHON || "python3";
  const version = done(
    spawnSync(python, ["--version"], { encoding: "utf8" }),
    `${python} cannot be run. Install Python 3.11 or later, or name one by PYTHON.`,
  );
  const key = createHash("sha256").update(version).update(readFileSync(requirements));
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = join(cache, "hilum", `interop-${key.digest("hex").slice(0, 12)}`);
  const interpreter = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return interpreter;
  console.error(`Making a Python environment of ${list} in ${folder} (${version.trim()}, once)`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  done(
    spawnSync(python, ["-m", "venv", folder], { encoding: "utf8" }),
    `${python} cannot make environments. Debian has this in the package python3-venv.`,
  );
  done(
    spawnSync(interpreter, ["-m", "pip", "install", "--quiet", "-r", requirements], {
      encoding: "utf8",
    }),
    `pip cannot install ${requirements}.`,
  );
  writeFileSync(complete, "");
  return interpreter;
}

function done({ status, stdout, stderr, error }: SpawnSyncReturns<string>, advice: string): string {
  if (status === 0) return stdout;
  throw new Error(`${advice}\n${error?.message ?? ""}${stderr ?? ""}`.trim());
}
