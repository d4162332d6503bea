/** `bench classify`: films a second of a finished bundle, by its network alone and from files. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadClassifier } from "../src/classifier/index.node.ts";
import { table } from "../src/cli/table.ts";
import { writePhantomDataset } from "../src/datasets/index.ts";
import { HilumError } from "../src/errors.ts";
import { readImage } from "../src/images/index.ts";
import { openSession, readRunnable } from "../src/onnx/index.node.ts";
import { describeMachine, machineNow, ourVersions } from "./machine.ts";
import { rangeText, type Summary, summaryOf } from "./summary.ts";

export interface ClassifyOptions {
  readonly model: string;
  readonly films?: string | undefined;
  readonly rounds: number;
  readonly threads: number;
  readonly json?: string | undefined;
}

type Works = Readonly<Record<string, () => Promise<number>>>;

const BATCH = 16;
const FILMS = 48;
const FILM_SIZE = 1200;
const SIDE = 224;

export async function measureClassify(options: ClassifyOptions): Promise<void> {
  const machine = await machineNow();
  console.log(describeMachine(machine));
  const folder = mkdtempSync(join(tmpdir(), "hilum-classify-"));
  try {
    const films = options.films ?? folder;
    if (!options.films) await writePhantomDataset(folder, { count: FILMS, size: FILM_SIZE });
    const speeds = await speedsOf(filmsIn(films), options);
    const { decode, network, end } = speeds;
    const possible = 1 / (1 / decode!.median + 1 / network!.median);
    print(speeds, possible);
    const report = { machine, versions: ourVersions(), rounds: options.rounds, speeds, possible };
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`\nFrom files to what one after the other gives: ${ratio(end!.median / possible)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function filmsIn(folder: string): string[] {
  if (!existsSync(folder))
    throw new HilumError("file-not-found", `There is no folder ${folder}.`, { path: folder });
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(png|jpe?g)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Films a second of each work, interleaved round by round. */
async function speedsOf(
  films: readonly string[],
  { model, rounds, threads }: ClassifyOptions,
): Promise<Record<string, Summary>> {
  await using classifier = await loadClassifier(model, { threads });
  const session = await openSession((await readRunnable(classifier.path)).source, { threads });
  const data = Uint8Array.from({ length: BATCH * SIDE * SIDE }, (_, i) => (i * 7919) % 251);
  const images = { type: "uint8", dims: [BATCH, SIDE, SIDE], data } as const;
  const works: Works = {
    async network() {
      await session.run({ images });
      return BATCH;
    },
    async decode() {
      for (let start = 0; start < films.length; start += BATCH)
        await Promise.all(films.slice(start, start + BATCH).map((film) => readImage(film)));
      return films.length;
    },
    async end() {
      return (await classifier.read(films)).length;
    },
  };
  const taken = new Map(Object.keys(works).map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const [name, work] of Object.entries(works)) {
      const begun = performance.now();
      const count = await work();
      // The first round warms up.
      if (round >= 0) taken.get(name)!.push((count / (performance.now() - begun)) * 1000);
    }
  await session.close();
  return Object.fromEntries([...taken].map(([name, values]) => [name, summaryOf(values)]));
}

const TITLES: Readonly<Record<string, string>> = {
  network: `all outputs of the graph, ${SIDE}x${SIDE}, batch ${BATCH}`,
  decode: "decoding alone",
  end: "from files to readings",
};

function print(speeds: Readonly<Record<string, Summary>>, possible: number): void {
  const rows = Object.entries(speeds).map(([name, speed]) => [TITLES[name]!, rangeText(speed, 1)]);
  rows.push(["one after the other", possible.toFixed(1)]);
  console.log(`\n${table(rows, ["films a second", "median (lowest-highest)"])}`);
}

const ratio = (value: number): string => value.toFixed(2);
