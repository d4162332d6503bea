/** `bench pipeline`: what feeding real films costs a step, and whether cost and memory grow with the data. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "../src/cli/table.ts";
import { buildImageCache, openDataset } from "../src/datasets/index.ts";
import { assert } from "../src/errors.ts";
import { openBatches } from "../src/training/batches.ts";
import { labelsForLoss } from "../src/training/labels.ts";
import { epochOrder } from "../src/training/sampling.ts";
import { describeMachine, machineNow, ourVersions } from "./machine.ts";
import { openOurTraining } from "./our-training.ts";
import { rangeText, type Summary, summaryOf } from "./summary.ts";
import { writeManyFilms } from "./synthetic-films.ts";
import { type Work, workNamed } from "./works.ts";

export interface PipelineOptions {
  readonly work: readonly string[];
  readonly augmentation: "none" | "light" | "strong";
  readonly rounds: number;
  readonly steps: number;
  readonly threads: number;
  readonly images: readonly number[];
  readonly json?: string | undefined;
}

interface StepRow {
  readonly work: string;
  readonly augmentation: string;
  /** Milliseconds a step. */
  readonly fromCache: Summary;
  readonly inMemory: Summary;
  /** Of which reading, labels and drawn augmentation: what stands between two steps. */
  readonly filling: Summary;
  /** Median over the rounds of from cache over in memory. */
  readonly ratio: Summary;
}

interface ScaleRow {
  readonly images: number;
  readonly cacheMicroseconds: number;
  readonly epochMicroseconds: number;
  readonly peakMiB: number;
}

const FILMS = 512;
const FILM_SIZE = 320;
const SMALL_FILM_SIZE = 64;

export async function measurePipeline(options: PipelineOptions): Promise<void> {
  const works = options.work.map(workNamed);
  const machine = await machineNow();
  console.log(describeMachine(machine));
  const steps: StepRow[] = [];
  for (const work of works) steps.push(await inFolder((folder) => stepRow(work, folder, options)));
  printSteps(steps, options.rounds);
  const scale: ScaleRow[] = [];
  for (const count of options.images)
    scale.push(await inFolder((folder) => scaleRow(count, folder)));
  printScale(scale);
  const report = { machine, versions: ourVersions(), rows: steps, scale: scale.map(withFurther) };
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hilum-pipeline-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function stepRow(work: Work, folder: string, options: PipelineOptions): Promise<StepRow> {
  const { augmentation, rounds, steps, threads } = options;
  await writeManyFilms(folder, { count: FILMS, size: FILM_SIZE });
  const { samples, task } = await openDataset(join(folder, "films"));
  const cache = await buildImageCache(samples, { size: work.size, dir: join(folder, "cache") });
  const training = await openOurTraining(work, { threads, augmentation });
  const batches = openBatches(
    {
      cache,
      labels: labelsForLoss(cache.samples, task, { isBalanced: false }),
      batch: work.batch,
      augmentation: training.graphs.augmentation,
      seed: 1,
    },
    2,
  );
  const order = epochOrder(cache.count, { seed: 1, epoch: 0, step: work.batch });
  const perEpoch = order.length / work.batch;
  const read = (slot: number, step: number) => {
    const from = (step % perEpoch) * work.batch;
    return batches.fill(slot, order.subarray(from, from + work.batch), 0, step);
  };
  const held = read(1, 0);
  let step = 0;
  const filled: number[] = [];
  const readTimed = () => {
    const begun = performance.now();
    const feeds = read(0, step++);
    filled.push(performance.now() - begun);
    return feeds;
  };
  const modes = {
    fromCache: () => training.step(readTimed()),
    inMemory: () => training.step(held),
  };
  const taken = { fromCache: [] as number[], inMemory: [] as number[] };
  for (let warming = 0; warming < 3; warming++) await modes.fromCache();
  for (let round = 0; round < rounds; round++) {
    const names = ["fromCache", "inMemory"] as const;
    for (const name of round % 2 === 0 ? names : names.toReversed())
      taken[name].push(await millisecondsOf(modes[name], steps));
  }
  await training.close();
  cache.close();
  return {
    work: work.name,
    augmentation,
    fromCache: summaryOf(taken.fromCache),
    inMemory: summaryOf(taken.inMemory),
    filling: summaryOf(filled),
    ratio: summaryOf(taken.fromCache.map((time, round) => time / taken.inMemory[round]!)),
  };
}

async function millisecondsOf(step: () => Promise<unknown>, steps: number): Promise<number> {
  const begun = performance.now();
  for (let index = 0; index < steps; index++) await step();
  return (performance.now() - begun) / steps;
}

async function scaleRow(count: number, folder: string): Promise<ScaleRow> {
  await writeManyFilms(folder, { count, size: SMALL_FILM_SIZE });
  const script = fileURLToPath(new URL("scale-run.ts", import.meta.url));
  const places = ["films", "run", "cache"].map((name) => join(folder, name));
  const words = ["--import", "tsx", script, ...places];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  assert(status === 0, `the run of ${count} films ended: ${stderr.trim()}`);
  return JSON.parse(stdout) as ScaleRow;
}

function printSteps(rows: readonly StepRow[], rounds: number): void {
  if (rows.length === 0) return;
  console.log(
    `\nMilliseconds a step, augmentation included: median of ${rounds} rounds (lowest-highest)`,
  );
  const cells = rows.map(({ work, augmentation, fromCache, filling, inMemory, ratio }) => [
    work,
    augmentation,
    rangeText(fromCache, 1),
    rangeText(filling, 1),
    rangeText(inMemory, 1),
    rangeText(ratio, 3),
  ]);
  console.log(
    table(cells, [
      "work",
      "augmentation",
      "films from the cache",
      "of which reading",
      "one batch in memory",
      "ratio",
    ]),
  );
}

/** What each image costs that a row has more than the row above: what every run pays once is in neither. */
function withFurther(row: ScaleRow, place: number, rows: readonly ScaleRow[]) {
  const above = rows[place - 1];
  if (above === undefined || above.images === row.images) return { ...row, further: null };
  const more = (total: (of: ScaleRow) => number) =>
    (total(row) - total(above)) / (row.images - above.images);
  const further = {
    cacheMicroseconds: more(({ images, cacheMicroseconds }) => images * cacheMicroseconds),
    epochMicroseconds: more(({ images, epochMicroseconds }) => images * epochMicroseconds),
    peakKiB: more(({ peakMiB }) => 1024 * peakMiB),
  };
  return { ...row, further };
}

function printScale(rows: readonly ScaleRow[]): void {
  if (rows.length === 0) return;
  console.log("\nMicroseconds an image as the data grow (a small network on 32x32); in brackets");
  console.log("what each image costs that a row has more than the one above it");
  const cells = rows.map(withFurther).map(({ further, ...row }) => {
    const bracketed = (value: number | undefined) =>
      value === undefined ? "" : ` (${value.toFixed(0)})`;
    return [
      row.images,
      `${row.cacheMicroseconds.toFixed(0)}${bracketed(further?.cacheMicroseconds)}`,
      `${row.epochMicroseconds.toFixed(0)}${bracketed(further?.epochMicroseconds)}`,
      `${Math.round(row.peakMiB)} MiB${further ? ` (${further.peakKiB.toFixed(1)} KiB)` : ""}`,
    ];
  });
  console.log(table(cells, ["images", "to build the cache", "of an epoch", "peak memory"]));
}
