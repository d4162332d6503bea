import { relative } from "node:path";
import { NOTICE } from "../../classifier/index.ts";
import {
  commandsAfter,
  DEMO_DEFAULTS,
  type DemoEvent,
  type DemoOptions,
  runDemo,
} from "../../demo/index.ts";
import { NETWORKS } from "../../models/index.ts";
import { type CommandDefinition, count, number, text } from "../command.ts";
import { evaluationText } from "../evaluation-text.ts";
import type { Output } from "../output.ts";
import { type ProgressBar, progressBar } from "../progress.ts";
import { table } from "../table.ts";
import { trainReporter } from "./train.ts";

const DEFAULT_OUT = "hilum-demo";

export const DEMO: CommandDefinition = {
  name: "demo",
  summary: "Draw synthetic films, train on them, and show the result on a page",
  operands: [],
  options: [
    {
      flags: "--out <folder>",
      description: `where films, run and page go (default: ${DEFAULT_OUT})`,
    },
    {
      flags: "--films <n>",
      description: `synthetic films in all (default: ${DEMO_DEFAULTS.films})`,
      parse: count,
    },
    {
      flags: "--model <name>",
      description: `network: ${NETWORKS.map(({ name }) => name).join(", ")} (default: ${DEMO_DEFAULTS.model})`,
    },
    {
      flags: "--epochs <n>",
      description: `epochs of training (default: ${DEMO_DEFAULTS.epochs})`,
      parse: count,
    },
    {
      flags: "--seed <n>",
      description: `seed of films and training (default: ${DEMO_DEFAULTS.seed})`,
      parse: number,
    },
    { flags: "--fresh", description: "remove what an earlier demo left there, and begin anew" },
  ],
  examples: [
    "hilum demo",
    "hilum demo --model dense --out dense-demo",
    "hilum demo --films 300 --epochs 4 --out small-demo --json",
  ],
  async run(_operands, options, { output, signal }) {
    const { out: given, fresh, ...settings } = options;
    const out = text(given) ?? DEFAULT_OUT;
    const reporter = demoReporter(output);
    output.note("Everything here is synthetic: films drawn by a program, no patient's.");
    try {
      const result = await runDemo({
        ...(settings as Partial<DemoOptions>),
        out,
        isFresh: fresh === true,
        signal,
        onEvent: reporter.onEvent,
      });
      reporter.stop();
      output.result(result);
      const next = commandsAfter(out).map(({ command, why }) => [command, why]);
      output.print(
        [
          "On synthetic test films:",
          evaluationText({ evaluation: result.test }),
          "Now with your own films, in DIR/NORMAL and DIR/PNEUMONIA:",
          table(next),
          `The page: ${relative(process.cwd(), result.page)}`,
          NOTICE,
        ].join("\n\n"),
      );
      return 0;
    } finally {
      reporter.stop();
    }
  },
};

const BAR_TITLES = { drawing: "drawing synthetic films", evaluating: "evaluating" } as const;

/** Bars for drawing and evaluating around those of training. */
function demoReporter(output: Output): { onEvent(event: DemoEvent): void; stop(): void } {
  const training = trainReporter(output);
  let bar: ProgressBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
    training.stop();
  };
  return {
    stop,
    onEvent(event) {
      if (event.kind !== "drawing" && event.kind !== "evaluating") {
        training.onEvent(event);
        return;
      }
      if (!bar) training.stop();
      bar ??= progressBar(BAR_TITLES[event.kind]);
      bar.update(event.done, event.total);
      if (event.done === event.total) stop();
    },
  };
}
