/** Hilum as a program under measurement; speaks what peers/serve.py speaks. */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { Contest, Task } from "./contest.ts";
import { peakMiB } from "./contestant.ts";
import { ourVersions } from "./machine.ts";
import { openOurInference } from "./our-inference.ts";
import { type OurSteps, openOurTraining } from "./our-training.ts";
import { openOurFeatures, openOurFineTuning } from "./our-transfer.ts";
import { type Work, workNamed } from "./works.ts";

type Told = Pick<Contest, "work" | "size" | "batch">;
type Opener = (contest: Told, options: { readonly threads: number }) => Promise<OurSteps>;

const sized = ({ work, size, batch }: Told): Work => ({ ...workNamed(work), size, batch });

const OPENERS: Readonly<Record<Task, Opener>> = {
  training: (contest, options) => openOurTraining(sized(contest), options),
  inference: (contest, options) => openOurInference(sized(contest), options),
  features: openOurFeatures,
  "fine-tuning": openOurFineTuning,
};

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
const { parameters, step } = await OPENERS[values.task as Task](
  { work: values.work ?? "", size: Number(values.size), batch: Number(values.batch) },
  { threads: Number(values.threads) },
);
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
