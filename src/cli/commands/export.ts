import { relative } from "node:path";
import { HEAT_MAP_METHODS, NOTICE } from "../../classifier/index.ts";
import { CALIBRATION_METHODS } from "../../evaluation/index.ts";
import { STORED_WEIGHTS } from "../../models/index.ts";
import { type BundleOptions, exportBundle, finishedRun } from "../../training/index.ts";
import { type CommandDefinition, text } from "../command.ts";
import { evaluationText } from "../evaluation-text.ts";
import { ruleOf, ruleOptions } from "../operating-rule.ts";
import { progressBar } from "../progress.ts";

export const EXPORT: CommandDefinition = {
  name: "export",
  summary: "Finish a run's model as one file: averaging, outputs, small weights, judged anew",
  operands: [{ name: "<run>", description: "the folder of a finished run" }],
  options: [
    {
      flags: "--out <file>",
      description: "the .onnx file; its model card goes beside it",
      isRequired: true,
    },
    {
      flags: "--average-with <run...>",
      description: "further runs that began with the same weights: the mean of all their weights",
    },
    {
      flags: "--averaging <kind>",
      description: "flip: each film is read with its mirror (twice the time)",
      choices: ["flip"],
    },
    {
      flags: "--heat-map [method]",
      description: "give a heat map as an output too (grad-cam where no method is named)",
      choices: HEAT_MAP_METHODS,
    },
    { flags: "--features", description: "give what the head sees as an output too" },
    {
      flags: "--gate <file>",
      description: "put a gate in front, such as the repository's models/gate.onnx",
    },
    {
      flags: "--weights <type>",
      description: "store the weights in a half or a quarter of the space",
      choices: STORED_WEIGHTS,
    },
    {
      flags: "--calibration <method>",
      description: "calibrate on the validation films (default: as the run's model is)",
      choices: Object.keys(CALIBRATION_METHODS),
    },
    ...ruleOptions("as the run's model has it"),
    { flags: "--data <dir>", description: "where the run's films are now (default: as they were)" },
  ],
  notes: `
The mean of the weights of runs that were fine-tuned from one file with one split, by other
augmentation, say, can be better than each of them, and costs nothing when films are read.

Averaging and smaller weights change probabilities: the run's validation films are
then read again, calibration and operating point are found anew, and the metrics in
the file are those of the file. The run itself stays as it is.

A gate says of each image whether it is an upright, whole chest film before it is read.
The metrics in the file are of all films, whatever the gate says of them.
`,
  examples: [
    "hilum export runs/lite --out pneumonia.onnx --averaging flip --weights float16",
    "hilum export runs/framing --average-with runs/light --out mean.onnx",
    "hilum export runs/lite --out gated.onnx --gate models/gate.onnx",
    "hilum export runs/lite --out lite.onnx --heat-map --features --calibration temperature --json",
  ],
  async run([path], options, { output, signal }) {
    const bar = progressBar("reading the validation films");
    try {
      const result = await exportBundle(finishedRun(String(path)), {
        out: String(options.out),
        averageWith: ((options.averageWith as string[] | undefined) ?? []).map(finishedRun),
        averaging: options.averaging as BundleOptions["averaging"],
        hasFeatures: options.features === true,
        heatMap: (options.heatMap === true
          ? HEAT_MAP_METHODS[0]
          : options.heatMap) as BundleOptions["heatMap"],
        gate: text(options.gate),
        weights: options.weights as BundleOptions["weights"],
        calibration: options.calibration as BundleOptions["calibration"],
        rule: ruleOf(options),
        data: text(options.data),
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      bar.stop();
      output.result(result);
      output.print(
        [
          "On the validation films, which chose the epoch and the operating point:",
          evaluationText({ evaluation: result.validation }),
          NOTICE,
        ].join("\n\n"),
      );
      for (const file of [result.model, result.card])
        output.note(`wrote ${relative(process.cwd(), file)}`);
      return 0;
    } finally {
      bar.stop();
    }
  },
};
