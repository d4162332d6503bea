import { basename, join, relative, resolve } from "node:path";
import { loadClassifier, loadMetadata, NOTICE } from "../../classifier/index.node.ts";
import { openDataset } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import {
  type ComparisonReport,
  compareSets,
  comparisonHead,
  comparisonRows,
  evaluate,
  type NamedSet,
  PAIR_HEAD,
  pairRows,
  predictionSetOf,
  REPORT_FILES,
  readPredictions,
  statedThreshold,
  withSplit,
  writeComparison,
} from "../../evaluation/index.ts";
import { finishedRun, patternsOf, runOfModel, validationOf } from "../../training/index.ts";
import { type CommandContext, type CommandDefinition, text } from "../command.ts";
import { progressBar } from "../progress.ts";
import { table } from "../table.ts";

const DEFAULT_OUT = "comparison";

const NOTES = `
Runs are compared on the films that they were validated on, where these are the same;
else name labelled films by --data. The validation films chose each run's epoch and
operating point, so that their figures are too good: --data with test films is better.

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
      flags: "--threshold <p>",
      description: "the threshold for files of predictions (default: 0.5)",
    },
    { flags: "--out <folder>", description: `where the report goes (default: ${DEFAULT_OUT})` },
  ],
  notes: NOTES,
  examples: [
    "hilum compare runs/cnn runs/vgg19 runs/xception",
    "hilum compare runs/cnn runs/xception --data chest_xray",
    "hilum compare --predictions a.csv b.csv --json",
  ],
  async run([models], options, context) {
    const { output } = context;
    const names = models as readonly string[];
    const { sets: given, facts, warnings } = await setsOf(names, options, context);
    const { comparison, sets } = compareSets(given);
    const report: ComparisonReport = { comparison, sets, facts, warnings };
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

type Given = Pick<ComparisonReport, "facts" | "warnings"> & { readonly sets: readonly NamedSet[] };

async function setsOf(
  models: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<Given> {
  const files = (options.predictions ?? []) as readonly string[];
  if (models.length > 0 && files.length > 0)
    throw new HilumError("invalid-option", "Give models or --predictions, not both.", {
      option: "predictions",
    });
  if (files.length > 0) return ofFiles(files, options);
  if (options.data !== undefined) return onData(models, options, context);
  return onValidation(models);
}

async function ofFiles(files: readonly string[], options: Options): Promise<Given> {
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

async function onValidation(models: readonly string[]): Promise<Given> {
  const names = distinctNames(models);
  const sets: NamedSet[] = [];
  for (const [index, model] of models.entries()) {
    const run = finishedRun(model);
    const { operatingPoint } = await loadMetadata(run.file("model"));
    const set = await validationOf(run);
    sets.push({ name: names[index]!, set, threshold: operatingPoint?.threshold });
  }
  return {
    sets,
    facts: [
      ...names.map((name) => ["run", name] as const),
      ["films", "the runs' validation films"],
    ],
    warnings: [
      "These films chose each run's epoch and operating point: the figures are too good. Compare on test films with --data DIR.",
    ],
  };
}

async function onData(
  models: readonly string[],
  options: Options,
  { signal }: CommandContext,
): Promise<Given> {
  const names = distinctNames(models);
  const runs = models.map(runOfModel);
  const dataset = await openDataset(
    String(options.data),
    patternsOf(runs.find((run) => run !== undefined)),
  );
  const sets: NamedSet[] = [];
  let part: string | null = null;
  for (const [index, model] of models.entries()) {
    await using classifier = await loadClassifier(model);
    const bar = progressBar(`evaluating ${names[index]}`);
    try {
      const { split, samples, predictions } = await evaluate(classifier, dataset, {
        split: text(options.split),
        // Their intervals come with the comparison.
        rounds: 0,
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      part = split;
      const { task, operatingPoint } = classifier.metadata;
      const set = predictionSetOf(samples, predictions, task);
      sets.push({ name: names[index]!, set, threshold: operatingPoint?.threshold });
    } finally {
      bar.stop();
    }
  }
  return {
    sets,
    facts: [
      ...names.map((name) => ["model", name] as const),
      ["films", basename(dataset.root)],
      ["split", part ?? "all films"],
    ],
    warnings: [],
  };
}

/** Last parts of the paths where these differ, else the paths. */
function distinctNames(paths: readonly string[]): string[] {
  const short = paths.map((path) => basename(path.replace(/\/+$/, "")));
  return new Set(short).size === paths.length ? short : [...paths];
}
