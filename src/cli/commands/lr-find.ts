import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { rateRangePlot, svgToPng } from "../../evaluation/index.ts";
import { findLearningRate, type RateRange, type TrainOptions } from "../../training/index.ts";
import { type CommandDefinition, count, text } from "../command.ts";
import { progressBars } from "../progress.ts";
import { table } from "../table.ts";
import { TRAIN_OPTIONS } from "../train-options.ts";

/** Options of training that say where a run goes, how long it is, or what it begins with. */
const NOT_OURS = [
  "--out",
  "--resume",
  "--preview",
  "--lr",
  "--epochs",
  "--schedule",
  "--warmup",
  "--patience",
  "--metric",
];

export const LR_FIND: CommandDefinition = {
  name: "lr-find",
  summary: "Find a learning rate by a range test",
  operands: [{ name: "<dir>", description: "the films, as for train" }],
  options: [
    {
      flags: "--steps <n>",
      description: "steps of the test (default: 100)",
      parse: count,
      group: "The test:",
    },
    {
      flags: "--plot <file>",
      description: "the plot, .svg or .png (default: lr-find.svg)",
      group: "The test:",
    },
    ...TRAIN_OPTIONS.filter(({ flags }) => !NOT_OURS.includes(flags.split(" ")[0]!)),
  ],
  notes: `
The rate grows from 1e-6 to 1 while the loss is watched; the suggestion lies half-way
down its longest valley. train --lr auto does the same before it trains.
`,
  examples: [
    "hilum lr-find chest_xray --model cnn",
    "hilum lr-find chest_xray --model residual --optimizer sgd --plot rates.png --json",
  ],
  async run([dir], options, { output, signal }) {
    const { steps, plot, cache, strict, ...settings } = options;
    const bars = progressBars();
    const found = await findLearningRate(String(dir), settings as TrainOptions, {
      steps: typeof steps === "number" ? steps : undefined,
      cacheFolder: text(cache),
      isStrict: strict === true,
      signal,
      onProgress: bars.update,
    }).finally(bars.stop);
    const file = resolve(text(plot) ?? "lr-find.svg");
    const svg = await rateRangePlot(found.points, found.suggestion);
    writeFileSync(file, file.endsWith(".png") ? await svgToPng(svg) : svg);
    output.result({ ...found, plot: file });
    output.print(rangeText(found, file));
    return 0;
  },
};

function rangeText({ points, suggestion, recipe }: RateRange, plot: string): string {
  const lowest = points.reduce((low, point) => (point.smoothed < low.smoothed ? point : low));
  return table([
    [
      "suggestion",
      suggestion === null ? "none: the loss fell at no rate" : `--lr ${suggestion.toPrecision(3)}`,
    ],
    ["recipe's rate", String(recipe)],
    ["lowest loss", `${lowest.smoothed.toFixed(4)} at ${lowest.lr.toPrecision(3)}`],
    ["plot", plot],
  ]);
}
