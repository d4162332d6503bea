/** `bench training`, `inference` and `transfer`: images per second of Hilum and its peers. */
import { writeFileSync } from "node:fs";
import { table } from "../src/cli/table.ts";
import type { Contest, Task } from "./contest.ts";
import { type Contestant, startContestant } from "./contestant.ts";
import { kernelsOnly, parametersOfAll } from "./equality.ts";
import { describeMachine, type Machine, machineNow } from "./machine.ts";
import {
  ourCommand,
  peerCommand,
  peersOf,
  refuseUnsuitedPeers,
  TYPESCRIPT_PEERS,
} from "./peers.ts";
import { measureRates, type Rate } from "./rounds.ts";
import { rangeText, type Summary } from "./summary.ts";

export interface ComparisonOptions {
  readonly python: string;
  readonly peers: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly threads: number;
  readonly size?: number | undefined;
  readonly batch?: number | undefined;
  readonly json?: string | undefined;
}

export interface Row {
  readonly work: string;
  readonly task: Task;
  readonly size: number;
  readonly batch: number;
  /** Of fine-tuning those that train; there and of features kernels alone. */
  readonly parameters: number;
  /** Images per second, like the peers. */
  readonly hilum: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Against PyTorch as users run it (contiguous); null where it was not asked for. */
  readonly ratioDefault: number | null;
  /** Against the fastest of PyTorch in both layouts and Keras on TensorFlow. */
  readonly ratioBest: number | null;
  /** Against the fastest peer in TypeScript. */
  readonly ratioTypeScript: number | null;
  /** Against PyTorch's layout that needs less. */
  readonly peakMemoryRatio: number | null;
  /** Median, lowest and highest round of each. */
  readonly spread: Readonly<Record<string, Summary>>;
  readonly peakMemoryMiB: Readonly<Record<string, number>>;
  /** Of which the libraries alone, before there was a network. */
  readonly importedMiB: Readonly<Record<string, number>>;
  /** Share of all cores that other programs used while each was measured. */
  readonly disturbance: Readonly<Record<string, number>>;
  /** Milliseconds of processor time an image, waiting threads that spin included; trust it with one thread. */
  readonly cpuMilliseconds: Readonly<Record<string, number>>;
}

export interface Report {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly threads: number;
  readonly rows: readonly Row[];
}

/** One row for each contest, under the name of the bench. */
export async function compare(
  bench: string,
  named: readonly Contest[],
  options: ComparisonOptions,
): Promise<void> {
  const contests = named.map((contest) => ({
    ...contest,
    size: options.size ?? contest.size,
    batch: options.batch ?? contest.batch,
  }));
  for (const { task } of contests) refuseUnsuitedPeers(options.peers, task);
  const machine = await machineNow();
  console.log(`${describeMachine(machine)}; ${options.threads} threads each`);
  const rows: Row[] = [];
  let versions: Record<string, string> = {};
  for (const contest of contests) {
    const contestants = await startAll(contest, options);
    try {
      rows.push(await measure(contest, contestants, options));
    } finally {
      await Promise.all(contestants.map((contestant) => contestant.close()));
    }
    versions = Object.assign(versions, ...contestants.map((contestant) => contestant.versions));
  }
  const { rounds, threads } = options;
  const report: Report = { machine, versions, rounds, threads, rows };
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  print(bench, report);
}

async function startAll(
  contest: Contest,
  { peers, python, threads }: ComparisonOptions,
): Promise<Contestant[]> {
  const started: Contestant[] = [];
  const circumstances = { contest, threads };
  try {
    started.push(await startContestant(ourCommand(circumstances)));
    for (const name of peersOf(contest.work, peers))
      started.push(await startContestant(peerCommand(name, { ...circumstances, python })));
    return started;
  } catch (error) {
    await Promise.all(started.map((contestant) => contestant.close()));
    throw error;
  }
}

async function measure(
  contest: Contest,
  contestants: readonly Contestant[],
  { rounds, seconds }: ComparisonOptions,
): Promise<Row> {
  const { name, task, batch } = contest;
  const isTransfer = task === "features" || task === "fine-tuning";
  const parameters = parametersOfAll(isTransfer ? contestants.map(kernelsOnly) : contestants);
  const rates = await measureRates(contestants, {
    rounds,
    seconds,
    batch,
    onRound: (round) => console.error(`${name}: round ${round} of ${rounds}`),
  });
  const memory = {
    peakMemoryMiB: Object.fromEntries(contestants.map((one) => [one.name, one.peakMiB()])),
    importedMiB: Object.fromEntries(contestants.map((one) => [one.name, one.importedMiB])),
  };
  return rowOf(contest, parameters, rates, memory);
}

function rowOf(
  { name, task, size, batch }: Contest,
  parameters: number,
  rates: ReadonlyMap<string, Rate>,
  memory: Pick<Row, "peakMemoryMiB" | "importedMiB">,
): Row {
  const hilum = rates.get("hilum")!.median;
  const others = [...rates].filter(([peer]) => peer !== "hilum");
  const peers = Object.fromEntries(others.map(([peer, { median }]) => [peer, median]));
  const ratioTo = (isMeant: (peer: string) => boolean) => {
    const rivals = Object.entries(peers).filter(([peer]) => isMeant(peer));
    return rivals.length === 0 ? null : hilum / Math.max(...rivals.map(([, median]) => median));
  };
  const torchMemory = Object.entries(memory.peakMemoryMiB).filter(([peer]) =>
    peer.startsWith("torch"),
  );
  return {
    work: name,
    task,
    size,
    batch,
    parameters,
    hilum,
    peers,
    ratioDefault: peers.torch === undefined ? null : hilum / peers.torch,
    ratioBest: ratioTo((peer) => !TYPESCRIPT_PEERS.includes(peer)),
    ratioTypeScript: ratioTo((peer) => TYPESCRIPT_PEERS.includes(peer)),
    peakMemoryRatio:
      torchMemory.length === 0
        ? null
        : memory.peakMemoryMiB.hilum! / Math.min(...torchMemory.map(([, mebibytes]) => mebibytes)),
    spread: Object.fromEntries(
      [...rates].map(([peer, { median, low, high }]) => [peer, { median, low, high }]),
    ),
    ...memory,
    disturbance: Object.fromEntries([...rates].map(([peer, rate]) => [peer, rate.disturbance])),
    cpuMilliseconds: Object.fromEntries(
      [...rates].map(([peer, rate]) => [peer, rate.cpuMilliseconds]),
    ),
  };
}

function print(bench: string, { rows, versions, rounds }: Report): void {
  const names = [...new Set(rows.flatMap(({ spread }) => Object.keys(spread)))];
  console.log(
    `\nImages per second, ${bench}: median of ${rounds} interleaved rounds (lowest-highest)`,
  );
  const cells = rows.map((row) => [
    `${row.work} ${row.size}x${row.size}, batch ${row.batch}`,
    ...names.map((name) => (row.spread[name] ? rangeText(row.spread[name], 1) : "")),
    ratioCell(row.ratioDefault),
    ratioCell(row.ratioBest),
    ratioCell(row.ratioTypeScript),
  ]);
  console.log(table(cells, ["work", ...names, "to torch", "to the best", "to TypeScript"]));
  console.log("\nProcessor milliseconds an image, all threads together");
  const costs = rows.map((row) => [
    row.work,
    ...names.map((name) => row.cpuMilliseconds[name]?.toFixed(1) ?? ""),
  ]);
  console.log(table(costs, ["work", ...names]));
  console.log("\nPeak memory in MiB (of which the libraries, before there was a network)");
  const memory = rows.map((row) => [
    row.work,
    ...names.map((name) => memoryCell(row.peakMemoryMiB[name], row.importedMiB[name])),
    ratioCell(row.peakMemoryRatio),
  ]);
  console.log(table(memory, ["work", ...names, "ratio"]));
  const disturbed = Math.max(...rows.flatMap((row) => Object.values(row.disturbance)));
  console.log(
    `\nOther programs used up to ${Math.round(100 * disturbed)} % of the cores meanwhile (mean over the rounds of one).`,
  );
  const listed = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${listed.join(", ")}`);
}

const memoryCell = (peak: number | undefined, imported = 0) =>
  peak === undefined ? "" : `${Math.round(peak)} (${Math.round(imported)})`;
const ratioCell = (ratio: number | null) => ratio?.toFixed(2) ?? "";
