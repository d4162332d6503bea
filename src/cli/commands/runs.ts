import { HilumError } from "../../errors.ts";
import { diffRuns, filterRuns, listRuns, type RunRow, sortRuns } from "../../training/index.ts";
import { type CommandDefinition, text } from "../command.ts";
import { duration } from "../progress.ts";
import { table } from "../table.ts";

export const RUNS: CommandDefinition = {
  name: "runs",
  summary: "List the runs below a folder, sort and filter them, or compare two",
  operands: [{ name: "[folder]", description: "where runs are (default: runs)" }],
  options: [
    {
      flags: "--sort <column>",
      description:
        "run, model, data, state, epochs, value, seconds, time or a metric; - before it turns it round (default: time)",
    },
    {
      flags: "--where <conditions...>",
      description: "only runs for which these hold: auroc>0.9, epochs<=5, model=cnn, run~sweeps",
    },
    { flags: "--diff <runs...>", description: "what two runs have different: their folders" },
  ],
  examples: [
    "hilum runs",
    "hilum runs sweeps/cnn --sort value --where 'auroc>0.9' state=finished",
    "hilum runs --diff runs/cnn runs/residual --json",
  ],
  async run([folder], { sort, where, diff }, { output }) {
    if (Array.isArray(diff)) {
      const [before, after, ...more] = diff.map(String);
      if (before === undefined || after === undefined || more.length > 0)
        throw new HilumError("invalid-option", "Option --diff takes two folders of runs.", {
          option: "diff",
        });
      const differences = diffRuns(before, after);
      output.result({ before, after, differences });
      const rows = differences.map((row) => [row.name, shown(row.before), shown(row.after)]);
      output.print(table(rows, ["", before, after]));
      return 0;
    }
    const place = text(folder) ?? "runs";
    const rows = filterRuns(listRuns(place), (where as string[] | undefined) ?? []);
    const sorted = sort === undefined ? rows : sortRuns(rows, String(sort));
    output.result({ folder: place, runs: sorted });
    output.print(
      sorted.length === 0
        ? `No runs in ${place}.`
        : table(sorted.map(cellsOf), [
            "run",
            "model",
            "state",
            "epochs",
            "metric",
            "value",
            "time",
            "ended",
          ]),
    );
    return 0;
  },
};

function cellsOf({
  run,
  model,
  state,
  epochs,
  metric,
  value,
  seconds,
  time,
}: RunRow): (string | number)[] {
  const ended = new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ");
  return [run, model, state, epochs, metric, value?.toFixed(4) ?? "–", duration(seconds), ended];
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : JSON.stringify(value);
}
