import { basename, dirname } from "node:path";
import { loadClassifier, NOTICE } from "../../classifier/index.node.ts";
import { type OpenOptions, openDataset } from "../../datasets/index.ts";
import { BINARY_METRICS, type Evaluation, evaluate } from "../../evaluation/index.ts";
import { type CommandDefinition, count, text } from "../command.ts";
import { progressBar } from "../progress.ts";
import { table } from "../table.ts";

export const EVALUATE: CommandDefinition = {
  name: "evaluate",
  summary: "Hold a trained classifier against labelled films",
  operands: [{ name: "<model>", description: "a run folder or an .onnx file" }],
  options: [
    { flags: "--data <dir>", description: "the labelled films", isRequired: true },
    {
      flags: "--split <name>",
      description: "which split (default: test where there is one, else all films)",
    },
    {
      flags: "--patient-pattern <regex>",
      description: "the patient in a file name (default: as the run was trained)",
    },
    {
      flags: "--label-pattern <regex>",
      description: "the class in a file name (default: as the run was trained)",
    },
    { flags: "--strict", description: "stop at the first file that cannot be read" },
    { flags: "--threads <n>", description: "threads of the network", parse: count },
  ],
  examples: [
    "hilum evaluate runs/cnn --data chest_xray",
    "hilum evaluate runs/cnn/model.onnx --data chest_xray --split test --json",
  ],
  async run([model], options, { output, signal }) {
    const trained = await patternsOfRun(String(model));
    const dataset = await openDataset(String(options.data), {
      patientPattern: text(options.patientPattern) ?? trained.patientPattern,
      labelPattern: text(options.labelPattern) ?? trained.labelPattern,
    });
    const classifier = await loadClassifier(String(model), {
      threads: options.threads as number | undefined,
    });
    const bar = progressBar("evaluating");
    try {
      const { evaluation, split, problems } = await evaluate(classifier, dataset, {
        split: text(options.split),
        isStrict: options.strict === true,
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      bar.stop();
      for (const { message } of problems) output.note(`left out: ${message}`);
      output.result({ model: classifier.path, split, ...evaluation, problems });
      output.print(`${evaluationText(evaluation)}\n\n${NOTICE}`);
      return 0;
    } finally {
      bar.stop();
      await classifier.close();
    }
  },
};

/** What fits a terminal; --json has every metric of a class. */
const SHOWN_PER_CLASS = ["sensitivity", "specificity", "ppv", "f1", "auroc", "averagePrecision"];

/** How a run's own data named patients and classes; a model away from its run tells nothing of it. */
async function patternsOfRun(
  model: string,
): Promise<Pick<OpenOptions, "patientPattern" | "labelPattern">> {
  const { RUN_FILES, runFolder } = await import("../../training/index.ts");
  const folder = runFolder(basename(model) === RUN_FILES.model ? dirname(model) : model);
  if (folder.state() === "absent") return {};
  const { patientPattern, labelPattern } = folder.config().settings;
  return { patientPattern: patientPattern ?? undefined, labelPattern: labelPattern ?? undefined };
}

/** The numbers for people. */
export function evaluationText({
  n,
  positive,
  threshold,
  confusion,
  metrics,
  perClass,
}: Evaluation): string {
  const title = (key: string) => BINARY_METRICS.find((metric) => metric.key === key)?.title ?? key;
  const shown = (value: number | null) => (value === null ? "not defined" : value.toFixed(4));
  const parts = [
    table([
      ["images", n],
      ...(positive === null ? [] : [["positive", positive] as const]),
      ...(threshold === null
        ? []
        : [["operating point", `probability >= ${threshold.toFixed(4)}`] as const]),
      ...Object.entries(metrics).map(([key, { value }]) => [title(key), shown(value)] as const),
    ]),
  ];
  if (confusion)
    parts.push(
      table(
        confusion.matrix.map((row, index) => [confusion.labels[index]!, ...row]),
        ["true \\ predicted", ...confusion.labels],
      ),
    );
  if (perClass) {
    parts.push(
      table(
        Object.entries(perClass).map(([name, values]) => [
          name,
          ...SHOWN_PER_CLASS.map((key) => shown(values[key]!.value)),
        ]),
        ["class", ...SHOWN_PER_CLASS],
      ),
    );
  }
  return parts.join("\n\n");
}
