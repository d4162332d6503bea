/** The benches by name: `npm run bench -- NAME`. Each answers one question; none is a test. */
import { Command, InvalidArgumentError, Option } from "commander";
import { isHilumError } from "../src/errors.ts";
import type { ComparisonOptions } from "./comparison.ts";
import type { Contest } from "./contest.ts";
import { DEFAULT_PEERS, TYPESCRIPT_PEERS } from "./peers.ts";
import { TRANSFERS, transferNamed } from "./transfers.ts";
import { WORKS, workNamed } from "./works.ts";

const NOTICE =
  "Benchmarks of Hilum, side by side with its peers. Rerun on an idle machine before quoting.";

const program = new Command("bench").description(NOTICE).showSuggestionAfterError();

program
  .command("profile")
  .summary("Where each millisecond of a training step goes")
  .description("Runs training steps under ONNX Runtime's profiler: time by operator, dearest nodes")
  .requiredOption("--work <name>", "cnn, resnet18, mobilenetv2, or a network of `hilum train`")
  .option("--steps <count>", "steps to average over", wholeNumber, 5)
  .option("--threads <count>", "threads within an operator", wholeNumber, 2)
  .option("--size <pixels>", "side of the input, instead of the work's own", wholeNumber)
  .option("--batch <count>", "batch, instead of the work's own", wholeNumber)
  .option("--top <count>", "nodes to list", wholeNumber, 25)
  .option("--json <file>", "write everything, all nodes included, to this file")
  .addHelpText("after", example("profile --work resnet18 --json profile.json"))
  .action(async (options) => (await import("./profile.ts")).profileTraining(options));

interface Comparison {
  readonly bench: string;
  readonly summary: string;
  /** What is measured where no work is named. */
  readonly works: readonly string[];
  /** Beside PyTorch's layouts and Keras. */
  readonly others: readonly string[];
  /** What the bench does not say by itself. */
  readonly note: string;
  readonly examples: readonly string[];
  contest(work: string): Contest;
}

const onWorks = (task: "training" | "inference", summary: string): Comparison => ({
  bench: task,
  summary,
  works: names(WORKS),
  others: TYPESCRIPT_PEERS,
  note: "",
  examples: [
    `${task} --work cnn --peers tfjs-cpu --batch 1 --rounds 1   (a step takes it a minute)`,
  ],
  contest(name) {
    const { size, batch } = workNamed(name);
    return { name, task, work: name, size, batch };
  },
});

const COMPARISONS: readonly Comparison[] = [
  onWorks("training", "Images per second: forward, backward and optimizer"),
  onWorks("inference", "Images per second of the exported model.onnx"),
  {
    bench: "transfer",
    summary: "Images per second of pretrained networks: frozen features, fine-tuning",
    works: names(TRANSFERS),
    others: [],
    note: [
      "\n\nRandom weights; batch norms keep their statistics everywhere. Hilum feeds one grey channel to",
      "a stem whose weights are summed, and computes features a few films at a time, as train does; the",
      "peers get three equal channels, normalised beforehand, and the whole batch. -top trains the last",
      "two blocks and a head, -whole everything.",
    ].join(" "),
    examples: [],
    contest: transferNamed,
  },
];

for (const { bench, summary, works, others, note, examples, contest } of COMPARISONS)
  program
    .command(bench)
    .summary(summary)
    .description(
      `${summary}. Interleaved rounds against PyTorch and Keras on equal networks.${note}`,
    )
    .option("--python <file>", "the Python that has bench/peers/requirements.txt", "python3")
    .option("--work <names>", "works to measure, with commas", list, works)
    .option(
      "--peers <names>",
      `peers to measure, with commas${others.length > 0 ? `; also ${others.join(", ")}` : ""}`,
      list,
      DEFAULT_PEERS,
    )
    .option("--rounds <count>", "interleaved rounds", wholeNumber, 5)
    .option("--seconds <count>", "for each peer in each round", wholeNumber, 4)
    .option("--threads <count>", "threads of each", wholeNumber, 2)
    .option("--size <pixels>", "side of the input, instead of each work's own", wholeNumber)
    .option("--batch <count>", "batch, instead of each work's own", wholeNumber)
    .option("--json <file>", "write the report to this file")
    .addHelpText(
      "after",
      example(
        `${bench} --python VENV/bin/python --json ${bench}.json`,
        `${bench} --python VENV/bin/python --work ${works[0]} --peers torch --rounds 3`,
        ...examples,
      ),
    )
    .action(async (options: ComparisonOptions & { readonly work: readonly string[] }) =>
      (await import("./comparison.ts")).compare(bench, options.work.map(contest), options),
    );

program
  .command("cold")
  .summary("Seconds to read one film from the command line, the whole process")
  .description(
    "Runs `hilum predict` of dist/ and the least PyTorch script, one process after another",
  )
  .option("--python <file>", "the Python that has bench/peers/requirements.txt", "python3")
  .option("--work <names>", "works to measure, with commas", list, names(WORKS))
  .option("--rounds <count>", "runs of each", wholeNumber, 7)
  .option("--json <file>", "write the report to this file")
  .addHelpText("after", example("cold --python VENV/bin/python --json cold.json"))
  .action(async (options) => (await import("./cold.ts")).measureCold(options));

program
  .command("classify")
  .summary("Films a second of a finished bundle, by its network alone and from files")
  .description("The graph with every output it has, decoding alone, and both together")
  .option("--model <model>", "a run folder, an .onnx file or a shipped model", "pneumonia")
  .option("--films <folder>", "JPEG and PNG files, instead of synthetic ones of 1200 pixels")
  .option("--rounds <count>", "interleaved rounds", wholeNumber, 5)
  .option("--threads <count>", "threads within an operator", wholeNumber, 2)
  .option("--json <file>", "write the report to this file")
  .addHelpText("after", example("classify --films chest_xray/test --json classify.json"))
  .action(async (options) => (await import("./classify.ts")).measureClassify(options));

program
  .command("pipeline")
  .summary("What feeding real films costs a step; cost and memory as the data grow")
  .description(
    "Films from a built cache against one batch in memory; then `train` on 1,000 to 100,000",
  )
  .option("--work <names>", "works to measure, with commas", list, names(WORKS))
  .addOption(
    new Option("--augmentation <preset>", "of both")
      .choices(["none", "light", "strong"])
      .default("light"),
  )
  .option("--rounds <count>", "interleaved rounds", wholeNumber, 8)
  .option("--steps <count>", "steps in each round", wholeNumber, 4)
  .option("--threads <count>", "threads within an operator", wholeNumber, 2)
  .option(
    "--images <counts>",
    "sizes of the growing data, with commas",
    (text) => list(text).map(wholeNumber),
    [1000, 10_000, 100_000],
  )
  .option("--json <file>", "write the report to this file")
  .addHelpText(
    "after",
    example("pipeline --json pipeline.json", "pipeline --work cnn --images 1000"),
  )
  .action(async (options) => (await import("./pipeline.ts")).measurePipeline(options));

program
  .command("tuning")
  .summary("How soon TPE with ASHA finds what random search finds, next to Optuna")
  .description(
    "Records real head trials on cached features once; then searches over seeds on forests fitted to them",
  )
  .requiredOption(
    "--table <file>",
    "the recorded trials; made, or added to, where they are too few",
  )
  .option("--record <count>", "trials that the table is to have", wholeNumber, 300)
  .option("--data <folder>", "films to record trials on")
  .option("--weights <file>", "weights of efficientnet-lite0, whose space is searched")
  .option("--metric <name>", "the objective of a new table", "auroc")
  .option("--python <file>", "a Python with optuna==5.0.0; without it Optuna is left out")
  .option("--seeds <count>", "searches of each kind", wholeNumber, 20)
  .option("--trials <count>", "of the random search, whose time is every other's", wholeNumber, 100)
  .option("--json <file>", "write the report to this file")
  .addHelpText(
    "after",
    example(
      "tuning --table trials.json --data chest_xray --weights FILE --python VENV/bin/python --json tuning.json",
    ),
  )
  .action(async (options) => (await import("./tuning.ts")).measureTuning(options));

function names(entries: readonly { readonly name: string }[]): string[] {
  return entries.map(({ name }) => name);
}

function list(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It has to be a whole number from 1.");
}

function example(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ npm run bench -- ${line}`).join("\n")}`;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!isHilumError(error)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
