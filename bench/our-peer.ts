/** Hilum as a program under measurement; speaks what peers/serve.py speaks. */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { peakMiB } from "./contestant.ts";
import { ourVersions } from "./machine.ts";
import { openOurInference } from "./our-inference.ts";
import { openOurTraining } from "./our-training.ts";
import type { Task } from "./peers.ts";
import { workNamed } from "./works.ts";

const OPENERS = { training: openOurTraining, inference: openOurInference };

const importedMiB = peakMiB("self");
const { values } = parseArgs({
  options: {
    task: { type: "string" },
    work: { type: "string" },
    size: { type: "string" },
    batch: { type: "string" },
    threads: { type: "string" },
  },
});
const work = {
  ...workNamed(values.work ?? ""),
  size: Number(values.size),
  batch: Number(values.batch),
};
const { parameters, step } = await OPENERS[values.task as Task](work, {
  threads: Number(values.threads),
});
say({ parameters, versions: ourVersions(), importedMiB });
for await (const line of createInterface({ input: process.stdin })) {
  const { steps } = JSON.parse(line) as { steps: number };
  const begun = performance.now();
  for (let index = 0; index < steps; index++) await step();
  say({ seconds: (performance.now() - begun) / 1000 });
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
