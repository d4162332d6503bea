/** `npm run flagship`: makes models/pneumonia.onnx from the films; stopped or killed, it goes on. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { trainReporter } from "../../src/cli/commands/train.ts";
import { outputOf } from "../../src/cli/output.ts";
import { progressBars } from "../../src/cli/progress.ts";
import { reportEnding } from "./ending.ts";
import { FLAGSHIP, QUICK } from "./recipe.ts";
import { type Making, stepsOf } from "./steps.ts";

const HELP = `npm run flagship -- [--data DIR] [--weights FILE] [--gate FILE] [--run DIR] [--out DIR] [--plan] [--quick]

Trains, calibrates and writes the shipped model, its card and its metrics. Stopped by Ctrl-C or
killed, the same command goes on where it was. --plan prints the plan alone; --quick takes the same
path with a small network in seconds. Not for clinical use.`;

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data/kermany-224/train" },
    weights: { type: "string", default: "../shared/weights/efficientnet-lite0.safetensors" },
    gate: { type: "string", default: "models/gate.onnx" },
    run: { type: "string", default: "runs/flagship" },
    out: { type: "string", default: "models" },
    plan: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort());
process.once("SIGTERM", () => stopping.abort());

const output = outputOf(false);
const reporter = trainReporter(output);
const bars = progressBars();
const making: Making = {
  recipe: values.quick ? QUICK : FLAGSHIP,
  data: resolve(values.data),
  weights: values.quick ? undefined : resolve(values.weights),
  gate: values.quick ? undefined : resolve(values.gate),
  run: resolve(values.run),
  out: resolve(values.out),
  signal: stopping.signal,
  onTrainEvent: reporter.onEvent,
  onProgress: bars.update,
};

async function make(): Promise<void> {
  const missing = [making.data, making.weights, making.gate].find(
    (path) => path && !existsSync(path),
  );
  const steps = stepsOf(making.recipe);
  const done = await Promise.all(steps.map((step) => step.isDone(making)));
  // What follows a step that is not done is made anew.
  const first = done.includes(false) ? done.indexOf(false) : steps.length;
  steps.forEach(({ title, minutes }, at) => {
    const time = Math.ceil(minutes(making.recipe));
    const state = at < first ? "done" : time > 0 ? `about ${time} min on 2 cores` : "seconds";
    console.log(`${at + 1}. ${title}: ${state}`);
  });
  if (values.plan) return;
  if (missing) throw new Error(`${missing} is not there. Name it by --data, --weights or --gate.`);
  for (const { title, work } of steps.slice(first)) {
    if (stopping.signal.aborted) throw new Error("stopped");
    console.log(`\n${title}`);
    await work(making);
    reporter.stop();
    bars.stop();
  }
}

if (values.help) console.log(HELP);
else
  await make().catch((error: unknown) => {
    reporter.stop();
    bars.stop();
    reportEnding(error, stopping.signal);
  });
