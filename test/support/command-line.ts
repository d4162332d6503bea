/** The command line as it is shipped, built once for a test file and run as a child process. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "tsdown";
import { afterAll, beforeAll } from "vitest";
import configs from "../../tsdown.config.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the one JSON object that it has to be. */
  json<T = Record<string, unknown>>(): T;
}

export interface CommandLine {
  /** The file that `node FILE` runs. */
  readonly file: string;
  (...words: readonly string[]): Promise<Outcome>;
  /** Runs it and returns the packages that it loaded. */
  packagesOf(...words: readonly string[]): Promise<string[]>;
}

/** Call it at the top of a test file; the words are as after `hilum`. */
export function commandLine(): CommandLine {
  // Below the project, where the libraries are found.
  const folder = resolve(`.cache/cli-${process.pid}`);
  const file = join(folder, "cli/main.js");
  beforeAll(async () => {
    const { onSuccess: _, ...code } = configs[0]!;
    await build({ ...code, config: false, outDir: folder, logLevel: "error" });
  });
  afterAll(() => {
    for (const made of [folder, CACHE]) rmSync(made, { recursive: true, force: true });
  });
  return Object.assign((...words: readonly string[]) => run([file, ...words]), {
    file,
    async packagesOf(...words: readonly string[]) {
      const { stderr } = await run(["--import", resolve(IMPORT_LOG), file, ...words]);
      return [...stderr.matchAll(/^import (.*)$/gm)].map(([, name]) => name!).sort();
    },
  });
}

const CACHE = resolve(`.cache/films-${process.pid}`);
const IMPORT_LOG = "test/support/import-log.mjs";

function run(words: readonly string[]): Promise<Outcome> {
  const { npm_execpath: _path, npm_command: _command, ...environment } = process.env;
  const env = { ...environment, NO_COLOR: "1", HILUM_CACHE: CACHE };
  return new Promise((done) => {
    execFile(process.execPath, [...words], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const exitCode = error ? Number(error.code) : 0;
      done({ exitCode, stdout, stderr, json: () => oneObject(stdout, stderr) });
    });
  });
}

function oneObject<T>(stdout: string, stderr: string): T {
  const lines = stdout.split("\n");
  if (lines.length !== 2 || lines[1] !== "" || !lines[0]!.startsWith("{"))
    throw new Error(`not one JSON object on one line: ${stdout}\n${stderr}`);
  return JSON.parse(lines[0]!) as T;
}
