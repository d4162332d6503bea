import { mkdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { guardDisk } from "../../files.node.ts";
import { CARD_FILES, cardMarkdown, finishedRun, writeCard } from "../../training/index.ts";
import { type CommandDefinition, text } from "../command.ts";

export const CARD: CommandDefinition = {
  name: "card",
  summary: "Write a run's model card: use, data, recipe, metrics, limits, hashes",
  operands: [{ name: "<run>", description: "the folder of a finished run" }],
  options: [
    {
      flags: "--evaluation <path>",
      description:
        "results on other films: a folder that hilum evaluate wrote for this run, or its metrics.json",
    },
    { flags: "--out <folder>", description: "where card.md and card.html go (default: the run)" },
  ],
  notes: `
Everything in it comes from the run and the evaluation: nothing is typed. The same facts
are written into the metadata of the run's model.onnx ("hilum inspect" shows them);
weights and graph stay as they are. A card made again without --evaluation has none.
`,
  examples: [
    "hilum card runs/xception",
    "hilum card runs/xception --evaluation evaluation",
    "hilum card runs/xception --out docs --json",
  ],
  async run([path], options, { output }) {
    const run = finishedRun(String(path));
    const out = resolve(text(options.out) ?? run.path);
    guardDisk(out, () => mkdirSync(out, { recursive: true }));
    const facts = await writeCard(run, { folder: out, evaluation: text(options.evaluation) });
    output.result(facts);
    output.print(cardMarkdown(facts));
    for (const name of Object.values(CARD_FILES))
      output.note(`wrote ${relative(process.cwd(), join(out, name))}`);
    output.note(`wrote the same facts into ${relative(process.cwd(), run.file("model"))}`);
    return 0;
  },
};
