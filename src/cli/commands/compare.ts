import { join, relative, resolve } from "node:path";
import { NOTICE } from "../../classifier/index.ts";
import { HilumError } from "../../errors.ts";
import {
  type ComparisonReport,
  compareSets,
  comparisonHead,
  comparisonRows,
  distinctNames,
  type NamedSet,
  PAIR_HEAD,
  pairRows,
  REPORT_FILES,
  readPredictions,
  statedThreshold,
  withSplit,
  writeComparison,
} from "../../evaluation/index.ts";
import { type ComparedSets, setsOnData, setsOnValidation } from "../../training/index.ts";
import { type CommandContext, type CommandDefinition, text } from "../command.ts";
import { type ProgressBar, progressBar } from "../progress.ts";
import { table } from "../table.ts";

const DEFAULT_OUT = "comparison";

const NOTES = `
Runs are compared on the films that they were validated on, where these are the same,
and folders of folds (train --folds, equal --seed) on all films, each read by the model
that was not trained on it; else name labelled films by --data. The validation films
chose each run's epoch and operating point, so that their figures are too good: --data
with test films is better.

Differences have paired intervals; AUROC is tested by DeLong and accuracy by McNemar
where every patient has one film, else both by a bootstrap of patients; p-values are
corrected by Holm. Writes report.html, metrics.json and figures into --out; with
--json and no --out it writes nothing.
`;

type Options = Readonly<Record<string, unknown>>;

export const COMPARE: CommandDefinition = {
  name: "compare",
  summary: "Hold several models against one another on the same films",
  operands: [{ name: "[models...]", description: "run folders (or .onnx files, with --data)" }],
  options: [
    { flags: "--data <dir>", description: "labelled films to compare them on" },
    { flags: "--split <name>", description: "which split (default: test where there is one)" },
    {
      flags: "--predictions <files...>",
      description: "CSV files of predictions, instead of models",
    },
    { flags: "--positive <class>", description: "the positive class of files of predictions" },
    {
      flags: "--patient-pattern <regex>",
      description:
        "with --data: the patient in a file name (default: as the first run was trained)",
    },
    {
      flags: "--label-pattern <regex>",
      description: "with --data: the class in a file name (default: as the first run was trained)",
    },
    {
      flags: "--threshold <p>",
      description: "the threshold for files of predictions (default: 0.5)",
    },
    { flags: "--out <folder>", description: `where the report goes (default: ${DEFAULT_OUT})` },
  ],
  notes: NOTES,
  examples: [
    "hilum compare runs/cnn runs/vgg19 runs/xception",
    "hilum compare runs/cnn runs/xception --data chest_xray",
    "hilum compare runs/cnn-folds runs/lite-folds",
    "hilum compare --predictions a.csv b.csv --json",
  ],
  async run([models], options, context) {
    const { output } = context;
    const names = models as readonly string[];
    const { sets: given, histories, facts, warnings } = await setsOf(names, options, context);
    const { comparison, sets } = compareSets(given);
    const report: ComparisonReport = { comparison, sets, histories, facts, warnings };
    for (const warning of warnings) output.note(`mind: ${warning}`);
    output.result({ ...comparison, warnings });
    output.print(
      [
        `${comparison.n} films`,
        table(comparisonRows(comparison), comparisonHead(comparison)),
        table(pairRows(comparison), PAIR_HEAD),
        NOTICE,
      ].join("\n\n"),
    );
    const out = text(options.out) ?? (output.isJson ? undefined : DEFAULT_OUT);
    if (out !== undefined) {
      await writeComparison(resolve(out), report);
      output.note(`wrote ${relative(process.cwd(), join(resolve(out), REPORT_FILES.page))}`);
    }
    return 0;
  },
};

async function setsOf(
  models: readonly string[],
  options: Options,
  { signal }: CommandContext,
): Promise<ComparedSets> {
  const files = (options.predictions ?? []) as readonly string[];
  if (models.length > 0 && files.length > 0)
    throw new HilumError("invalid-option", "Give models or --predictions, not both.", {
      option: "predictions",
    });
  if (options.data === undefined) refusePatterns(options);
  if (files.length > 0) return setsOfFiles(files, options);
  if (options.data === undefined) return setsOnValidation(models);
  const bars = new Map<string, ProgressBar>();
  try {
    return await setsOnData(models, String(options.data), {
      split: text(options.split),
      patientPattern: text(options.patientPattern),
      labelPattern: text(options.labelPattern),
      signal,
      onProgress({ model, done, total }) {
        const bar = bars.get(model) ?? progressBar(`evaluating ${model}`);
        bars.set(model, bar);
        bar.update(done, total);
        if (done === total) bar.stop();
      },
    });
  } finally {
    for (const bar of bars.values()) bar.stop();
  }
}

function refusePatterns(options: Options): void {
  for (const [key, flag] of [
    ["patientPattern", "--patient-pattern"],
    ["labelPattern", "--label-pattern"],
  ] as const)
    if (options[key] !== undefined)
      throw new HilumError(
        "invalid-option",
        `Option ${flag} reads names of films, which only --data names. Add it, or leave ${flag} out.`,
        { option: flag.slice(2), value: options[key] },
      );
}

async function setsOfFiles(files: readonly string[], options: Options): Promise<ComparedSets> {
  const threshold =
    options.threshold === undefined ? undefined : statedThreshold(String(options.threshold));
  const split = text(options.split);
  const names = distinctNames(files);
  const sets: NamedSet[] = [];
  for (const [index, file] of files.entries()) {
    const set = await readPredictions(file, { positive: text(options.positive) });
    sets.push({
      name: names[index]!,
      set: split === undefined ? set : withSplit(set, split),
      threshold,
    });
  }
  const facts = names.map((name) => ["predictions", name] as const);
  return { sets, facts, warnings: [] };
}
