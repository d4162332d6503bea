/** Real head trials, recorded once: what each configuration was worth after each epoch, and how long that took. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HilumError } from "../src/errors.ts";
import { selectionDirection } from "../src/evaluation/index.ts";
import { writeFileAtomically } from "../src/files.node.ts";
import { openData } from "../src/training/open-data.ts";
import { HEAD_SPACE } from "../src/training/sweep/default-space.ts";
import { openHeadBench } from "../src/training/sweep/head-bench.ts";
import { SAMPLERS } from "../src/training/sweep/samplers/index.ts";
import type { Params, Space } from "../src/training/sweep/space.ts";
import { spaceOf } from "../src/training/sweep/space-file.ts";
import { chosenModel } from "../src/training/transfer/choose.ts";

/** Three rungs of successive halving, each three times as long: 1, 3, 9, and all. */
export const EPOCHS = 27;
const MODEL = "efficientnet-lite0";
const SAVED_EACH = 5;

export interface RecordedTrial {
  readonly params: Params;
  /** The metric after each epoch; fewer where the head stood still or diverged. */
  readonly values: readonly (number | null)[];
  /** Of each epoch. */
  readonly seconds: readonly number[];
  /** What the trial took beside its epochs. */
  readonly overhead: number;
}

export interface Table {
  readonly format: 1;
  readonly metric: string;
  readonly trials: readonly RecordedTrial[];
}

export interface Recording {
  readonly table: string;
  readonly data?: string | undefined;
  readonly weights?: string | undefined;
  readonly metric: string;
  /** How many trials the table is to have. */
  readonly record: number;
}

/** Ten dimensions: all of the head's own space but its passes, so that every trial has the same films. */
export async function tunedSpace(weights: string | undefined): Promise<Space> {
  const { featurePasses: _, ...space } = HEAD_SPACE;
  return spaceOf(space, await chosenModel({ model: MODEL, weights }, {}));
}

/** The table of the file, with trials recorded until there are as many as asked for. */
export async function recorded(options: Recording): Promise<Table> {
  const path = resolve(options.table);
  const before: Table = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as Table)
    : { format: 1, metric: options.metric, trials: [] };
  selectionDirection(before.metric);
  if (before.trials.length >= options.record) return before;
  const { data, weights } = options;
  if (data === undefined || weights === undefined)
    throw new HilumError(
      "invalid-option",
      `${path} has ${before.trials.length} of ${options.record} trials. To record the others give --data DIR and --weights FILE (of ${MODEL}).`,
      { option: "data" },
    );
  const space = await tunedSpace(weights);
  const bench = openHeadBench(await openData(data, {}), {});
  const scratch = mkdtempSync(join(tmpdir(), "hilum-bench-"));
  const trials = [...before.trials];
  const save = () => writeFileAtomically(path, `${JSON.stringify({ ...before, trials })}\n`);
  try {
    const own = { model: MODEL, weights, epochs: 0, headEpochs: EPOCHS, threads: 1, seed: 1 };
    // Films and features are opened by the first, which then is no measure of the others.
    await tried(bench, { ...own, metric: before.metric }, scratch);
    while (trials.length < options.record) {
      const params = SAMPLERS.sobol(space, [], { seed: 1, number: trials.length });
      const trial = await tried(bench, { ...own, ...params, metric: before.metric }, scratch);
      trials.push({ params, ...trial });
      if (trials.length % SAVED_EACH === 0) {
        save();
        console.log(`recorded ${trials.length} of ${options.record} trials`);
      }
    }
    save();
  } finally {
    await bench.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  return { ...before, trials };
}

async function tried(
  bench: ReturnType<typeof openHeadBench>,
  options: Readonly<Record<string, unknown>> & { readonly metric: string },
  scratch: string,
): Promise<Omit<RecordedTrial, "params">> {
  const values: (number | null)[] = [];
  const seconds: number[] = [];
  const out = join(scratch, "trial");
  rmSync(out, { recursive: true, force: true });
  const begun = performance.now();
  try {
    await bench.tryHead(options, {
      out,
      async onEpoch({ record }) {
        values.push(record.metrics[options.metric] ?? null);
        seconds.push(record.seconds);
        return false;
      },
    });
  } catch (error) {
    if ((error as { code?: string }).code !== "training-diverged") throw error;
  }
  const whole = (performance.now() - begun) / 1000;
  return { values, seconds, overhead: whole - seconds.reduce((a, b) => a + b, 0) };
}
