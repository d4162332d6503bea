/** `npm run yardsticks`: holds the shipped recipe against others on clusters of images held out. */
import { existsSync, mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { trainReporter } from "../../src/cli/commands/train.ts";
import { outputOf } from "../../src/cli/output.ts";
import { progressBars } from "../../src/cli/progress.ts";
import { type Dataset, openDataset } from "../../src/datasets/index.ts";
import { writeFileAtomically } from "../../src/files.node.ts";
import { clusterFilms, clusterManifest } from "../../src/training/index.ts";
import { reportEnding } from "./ending.ts";
import { holdOut, isHeldOut, readHeldOut } from "./held-out.ts";
import {
  SHIPPED_RECIPE,
  YARDSTICK_MEANS,
  YARDSTICK_RECIPES,
  YARDSTICK_TRAININGS,
} from "./yardstick-recipes.ts";
import { yardstickMarkdown, yardstickRows } from "./yardstick-table.ts";

const HELP = `npm run yardsticks -- [--data DIR] [--weights FILE] [--out DIR] [--k 4] [--seeds 1]
  [--recipes framing,light,strong,heavy,heavy-percentiles,shipped] [--size 128] [--epochs 5] [--films N] [--judged N] [--threads N]
  [--model NAME] [--only TEXT] [--plan] [--sum]

Puts the patients into clusters of alike images (hilum cluster) and, for each cluster and recipe,
trains without it, calibrates and chooses a threshold on other patients, and reads its films clean and
corrupted. Writes yardsticks.json and yardsticks.md. Stopped by Ctrl-C or killed, the same command goes
on where it was; --sum makes the table of the clusters that are done. --films and --judged take whole
patients up to so many films, --only those parts whose folder has the text in it, as cluster-2/light:
several processes can share the work. The recipe shipped is the mean of the weights of framing and
light, which have to be trained before it. Not for clinical use.`;

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data/kermany-224/train" },
    weights: { type: "string", default: "../shared/weights/efficientnet-lite0.safetensors" },
    model: { type: "string", default: "efficientnet-lite0" },
    out: { type: "string", default: "runs/yardsticks" },
    k: { type: "string", default: "4" },
    seeds: { type: "string", default: "1" },
    recipes: { type: "string", default: YARDSTICK_RECIPES.join() },
    size: { type: "string", default: "128" },
    epochs: { type: "string", default: "5" },
    films: { type: "string" },
    judged: { type: "string" },
    threads: { type: "string" },
    plan: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    sum: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort());
process.once("SIGTERM", () => stopping.abort());
const reporter = trainReporter(outputOf(false));
const bars = progressBars();

const out = resolve(values.out);
const most = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const numbers = (count: string) => Array.from({ length: Number(count) }, (_, n) => n + 1);

const recipes = values.recipes.split(",").map((recipe) => {
  const trainings = YARDSTICK_MEANS[recipe] ?? [];
  const options = YARDSTICK_TRAININGS[trainings[0] ?? recipe];
  if (options) return { recipe, trainings, options };
  console.error(`There is no recipe ${recipe}: ${YARDSTICK_RECIPES.join(", ")}.`);
  return process.exit(2);
});

const partFolder = (seed: number, cluster: number, recipe: string) =>
  join(out, `seed-${seed}`, `cluster-${cluster}`, recipe);

/** Cluster by cluster, so that what was stopped early has all recipes of the clusters it has. */
const PARTS = numbers(values.seeds).flatMap((seed) =>
  numbers(values.k).flatMap((cluster) =>
    recipes.map(({ recipe, trainings, options }) => ({
      recipe,
      seed,
      cluster: String(cluster),
      out: partFolder(seed, cluster, recipe),
      ingredients: trainings.map((name) => partFolder(seed, cluster, name)),
      options: {
        ...options,
        model: values.model,
        weights: resolve(values.weights),
        size: Number(values.size),
        epochs: Number(values.epochs),
        threads: most(values.threads),
        seed,
      },
    })),
  ),
);

function stopBars(): void {
  reporter.stop();
  bars.stop();
}

async function clustered(): Promise<Dataset> {
  const manifest = join(out, "clusters.jsonl");
  if (!existsSync(manifest)) {
    const dataset = await openDataset(values.data);
    const found = await clusterFilms(
      dataset,
      { model: values.model, weights: resolve(values.weights), k: Number(values.k) },
      {
        signal: stopping.signal,
        onProgress: ({ work, done, total }) => bars.update(`reading ${work}`, done, total),
      },
    );
    mkdirSync(out, { recursive: true });
    const { clusters, silhouette } = found;
    writeFileAtomically(
      join(out, "clusters.json"),
      `${JSON.stringify({ clusters, silhouette }, null, 2)}\n`,
    );
    writeFileAtomically(manifest, clusterManifest(dataset, found));
  }
  const dataset = await openDataset(values.data, { manifest });
  return { ...dataset, samples: dataset.samples.filter(({ split }) => split !== "test") };
}

async function measure(): Promise<void> {
  for (const part of PARTS)
    console.log(
      `seed ${part.seed}, without cluster ${part.cluster}, ${part.recipe}: ${isHeldOut(part.out) ? "done" : "to do"}`,
    );
  if (values.plan) return;
  if (!values.sum) await train();
  if (values.only === "") await sum();
}

async function train(): Promise<void> {
  const dataset = await clustered();
  const start = performance.now();
  for (const part of PARTS) {
    if (isHeldOut(part.out) || !relative(out, part.out).includes(values.only)) continue;
    console.log(`\nseed ${part.seed}, without cluster ${part.cluster}, ${part.recipe}`);
    await holdOut(part.out, {
      ...part,
      dataset,
      films: most(values.films),
      judged: most(values.judged),
      context: { signal: stopping.signal, onEvent: reporter.onEvent },
      onProgress: bars.update,
    });
    stopBars();
    console.log(`${((performance.now() - start) / 60_000).toFixed(1)} min so far`);
  }
}

/** Of the clusters that every recipe is done with: recipes are compared on the same films. */
async function sum(): Promise<void> {
  const isOpen = (part: (typeof PARTS)[number]) =>
    PARTS.some(
      ({ seed, cluster, out: own }) =>
        seed === part.seed && cluster === part.cluster && !isHeldOut(own),
    );
  const done = PARTS.filter((part) => !isOpen(part));
  if (done.length === 0) throw new Error("No cluster has been held out by every recipe yet.");
  const held: Record<string, Awaited<ReturnType<typeof readHeldOut>>[]> = {};
  for (const part of done) {
    held[part.recipe] ??= [];
    held[part.recipe]!.push(await readHeldOut(part.out));
  }
  const rows = yardstickRows(held, SHIPPED_RECIPE);
  const { k, seeds, recipes, size, epochs, films, judged, threads } = values;
  const settings = { k, seeds, recipes, size, epochs, films, judged, threads };
  const clusters = [
    ...new Set(done.map(({ seed, cluster }) => `seed ${seed}, cluster ${cluster}`)),
  ];
  writeFileAtomically(
    join(out, "yardsticks.json"),
    `${JSON.stringify({ notice: "Not for clinical use.", settings, clusters, rows }, null, 2)}\n`,
  );
  const text = yardstickMarkdown(rows);
  writeFileAtomically(join(out, "yardsticks.md"), `${text}\n`);
  console.log(`\n${text}`);
}

if (values.help) console.log(HELP);
else await measure().catch((error: unknown) => reportEnding(error, stopping.signal));
stopBars();
