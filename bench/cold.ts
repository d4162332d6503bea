/** `bench cold`: one film from the command line, the whole process, against the least PyTorch script. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "../src/cli/table.ts";
import { writePhantomDataset } from "../src/datasets/index.ts";
import { HilumError } from "../src/errors.ts";
import { writeModelFile } from "../src/onnx/index.node.ts";
import { describeMachine, machineNow, ourVersions } from "./machine.ts";
import { classifierOf } from "./our-inference.ts";
import { rangeText, type Summary, summaryOf } from "./summary.ts";
import { type Work, workNamed } from "./works.ts";

export interface ColdOptions {
  readonly python: string;
  readonly work: readonly string[];
  readonly rounds: number;
  readonly json?: string | undefined;
}

interface Row {
  readonly work: string;
  /** Median seconds from start to exit. */
  readonly hilumSeconds: number;
  readonly peerSeconds: { readonly torch: number };
  /** Ours over theirs. */
  readonly ratio: number;
  readonly spread: Readonly<Record<"hilum" | "torch", Summary>>;
}

const FILM_SIZE = 1200;
const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const SCRIPT = fileURLToPath(new URL("peers/torch_cold.py", import.meta.url));

export async function measureCold(options: ColdOptions): Promise<void> {
  if (!existsSync(CLI))
    throw new HilumError("file-not-found", "There is no dist/cli/main.js. Run: npm run build");
  const works = options.work.map(workNamed);
  const machine = await machineNow();
  console.log(describeMachine(machine));
  const folder = mkdtempSync(join(tmpdir(), "hilum-cold-"));
  try {
    const [film] = await writePhantomDataset(folder, { count: 1, size: FILM_SIZE });
    const rows = works.map((work) => measureWork(work, join(folder, film!.key), folder, options));
    print(rows, options.rounds);
    const report = { machine, versions: ourVersions(), rounds: options.rounds, rows };
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measureWork(
  work: Work,
  film: string,
  folder: string,
  { python, rounds }: ColdOptions,
): Row {
  const model = join(folder, `${work.name}.onnx`);
  const weights = join(folder, `${work.name}.pt`);
  writeModelFile(model, classifierOf(work));
  const script = [SCRIPT, work.name, String(work.size), weights];
  secondsOf(python, script);
  const commands = {
    hilum: () => secondsOf(process.execPath, [CLI, "predict", model, film]),
    torch: () => secondsOf(python, [...script, film]),
  };
  // The first run of each reads its files from the disk; what is compared are cold processes.
  for (const run of Object.values(commands)) run();
  const taken = { hilum: [] as number[], torch: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    taken.hilum.push(commands.hilum());
    taken.torch.push(commands.torch());
  }
  const [hilum, torch] = [summaryOf(taken.hilum), summaryOf(taken.torch)];
  return {
    work: work.name,
    hilumSeconds: hilum.median,
    peerSeconds: { torch: torch.median },
    ratio: hilum.median / torch.median,
    spread: { hilum, torch },
  };
}

function secondsOf(file: string, words: readonly string[]): number {
  const begun = performance.now();
  const { status, error, stderr } = spawnSync(file, words, { encoding: "utf8" });
  const seconds = (performance.now() - begun) / 1000;
  if (status === 0) return seconds;
  const reason = error?.message ?? stderr.trim().split("\n").at(-1);
  throw new HilumError("invalid-option", `${file} ${words[0]} ended: ${reason}.`, { file, reason });
}

function print(rows: readonly Row[], rounds: number): void {
  console.log(`\nSeconds from start to exit, one film: median of ${rounds} (lowest-highest)`);
  const cells = rows.map(({ work, ratio, spread }) => [
    work,
    rangeText(spread.hilum, 2),
    rangeText(spread.torch, 2),
    ratio.toFixed(2),
  ]);
  console.log(table(cells, ["work", "hilum predict", "torch script", "ratio"]));
}
