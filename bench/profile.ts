/** `bench profile`: where each millisecond of a training step goes, by ONNX Runtime's profiler. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../src/cli/table.ts";
import { describeMachine, machineNow, ourVersions } from "./machine.ts";
import { openOurTraining } from "./our-training.ts";
import { type NodeTime, readProfile, type StepProfile } from "./profile-events.ts";
import { type Work, workNamed } from "./works.ts";

export interface ProfileOptions {
  readonly work: string;
  readonly steps: number;
  readonly threads: number;
  readonly size?: number | undefined;
  readonly batch?: number | undefined;
  readonly top: number;
  readonly json?: string | undefined;
}

const WARM_UP_STEPS = 2;

export async function profileTraining(options: ProfileOptions): Promise<void> {
  const named = workNamed(options.work);
  const { size = named.size, batch = named.batch } = options;
  const work = { ...named, size, batch };
  const machine = await machineNow();
  console.log(describeMachine(machine));
  const { plain, profile } = await profiled(work, options);
  const perImage = (milliseconds: number) => ((1000 * batch) / milliseconds).toFixed(1);
  console.log(
    `${work.name} ${size}x${size}, batch ${batch}: ${plain.toFixed(1)} ms a step (${perImage(plain)} images/s); under the profiler ${profile.stepMilliseconds.toFixed(1)} ms, mean of ${profile.steps}\n`,
  );
  print(profile, options.top);
  if (options.json)
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, versions: ourVersions(), work: work.name, size, batch, stepMilliseconds: plain, profile }, null, 2)}\n`,
    );
}

async function profiled(work: Work, { steps, threads }: ProfileOptions) {
  const folder = mkdtempSync(join(tmpdir(), "hilum-profile-"));
  try {
    const plain = await stepMilliseconds(work, { steps, threads });
    await stepMilliseconds(work, { steps, threads, profilePrefix: join(folder, "profile") });
    const [file] = readdirSync(folder);
    return { plain, profile: readProfile(join(folder, file!), steps) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function stepMilliseconds(
  work: Work,
  options: { steps: number; threads: number; profilePrefix?: string },
): Promise<number> {
  const training = await openOurTraining(work, options);
  for (let step = 0; step < WARM_UP_STEPS; step++) await training.step();
  const begun = performance.now();
  for (let step = 0; step < options.steps; step++) await training.step();
  const elapsed = performance.now() - begun;
  await training.close();
  return elapsed / options.steps;
}

function print({ stepMilliseconds, operators, nodes }: StepProfile, top: number): void {
  const inNodes = operators.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = [
    ...operators.map(({ operator, nodes: count, milliseconds, share }) =>
      row(operator, count, milliseconds, share),
    ),
    row("(between nodes)", "", stepMilliseconds - inNodes, 1 - inNodes / stepMilliseconds),
  ];
  console.log(table(rows, ["operator", "nodes", "ms/step", "share"]));
  console.log(`\nThe ${Math.min(top, nodes.length)} dearest of ${nodes.length} nodes:`);
  console.log(
    table(nodes.slice(0, top).map(nodeRow), [
      "ms",
      "GFLOP/s",
      "operator",
      "inputs -> output",
      "name",
    ]),
  );
}

const row = (operator: string, nodes: number | string, milliseconds: number, share: number) => [
  operator,
  nodes,
  milliseconds.toFixed(1),
  `${(100 * share).toFixed(1)} %`,
];

function nodeRow({ milliseconds, gigaflops, operator, inputs, outputs, name }: NodeTime) {
  const shapes = (list: NodeTime["inputs"]) => list.map((dims) => dims.join("x") || "1").join(", ");
  return [
    milliseconds.toFixed(1),
    gigaflops?.toFixed(0) ?? "",
    operator,
    `${shapes(inputs)} -> ${shapes(outputs)}`,
    name,
  ];
}
