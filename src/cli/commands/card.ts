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
    { flags: "--out <folder>", description: "where card.md and card.html go (default: the run)" },
  ],
  notes: `
Everything in it comes from the run: nothing is typed. The same facts are kept in
the metadata of the run's model.onnx ("hilum inspect" shows them).
`,
  examples: ["hilum card runs/xception", "hilum card runs/xception --out docs --json"],
  async run([path], options, { output }) {
    const run = finishedRun(String(path));
    const out = resolve(text(options.out) ?? run.path);
    guardDisk(out, () => mkdirSync(out, { recursive: true }));
    const facts = await writeCard(run, out);
    output.result(facts);
    output.print(cardMarkdown(facts));
    for (const name of Object.values(CARD_FILES))
      output.note(`wrote ${relative(process.cwd(), join(out, name))}`);
    return 0;
  },
};
