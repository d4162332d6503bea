import { relative, resolve } from "node:path";
import { NOTICE } from "../../classifier/index.ts";
import { HilumError } from "../../errors.ts";
import { CALIBRATION_METHODS, metricTitle, shownMetric } from "../../evaluation/index.ts";
import { type CalibrateOptions, calibrateRun, finishedRun } from "../../training/index.ts";
import { type CommandDefinition, text } from "../command.ts";
import { ruleOf, ruleOptions } from "../operating-rule.ts";
import { progressBar } from "../progress.ts";
import { table } from "../table.ts";

export const CALIBRATE: CommandDefinition = {
  name: "calibrate",
  summary: "Calibrate a run's model and choose its operating point, on its validation films",
  operands: [{ name: "<run>", description: "the folder of a finished run" }],
  options: [
    {
      flags: "--method <name>",
      description: "calibration (default: temperature)",
      choices: Object.keys(CALIBRATION_METHODS),
    },
    ...ruleOptions("youden"),
    {
      flags: "--corrupted",
      description:
        "fit both to the films clean and mildly corrupted, as another archive's might be",
    },
    {
      flags: "--data <dir>",
      description: "with --corrupted: where the films lie (default: where they lay in training)",
    },
    { flags: "--out <file>", description: "the calibrated model (default: the run's model.onnx)" },
  ],
  notes: `
Probabilities are corrected in the model's own graph: whatever loads it, in any
language, gets the calibrated ones. Calibrating again begins from the network's own
probabilities. Both are fitted to the validation films, so that what is said of these
films afterwards is too good: evaluate the model on films that it has never met.

With --corrupted each validation film counts as it is and in ten changed versions (cropped,
padded, stretched, turned, framed, of other contrast and gamma): a threshold for a shift.
`,
  examples: [
    "hilum calibrate runs/xception --target-sensitivity 0.98",
    "hilum calibrate runs/cnn --method platt --operating-point cost=5 --out calibrated.onnx",
    "hilum calibrate runs/lite --method platt --corrupted --data chest_xray",
  ],
  async run([path], options, { output, signal }) {
    const out = text(options.out);
    const bar = options.corrupted === true ? progressBar("reading films") : undefined;
    if (!bar && options.data !== undefined)
      throw new HilumError(
        "invalid-option",
        "Option --data names films, but they are read with --corrupted only. Add it, or leave --data out.",
        { option: "data", value: options.data },
      );
    const corrupted = bar && {
      data: text(options.data),
      signal,
      onProgress: (progress: { done: number; total: number }) =>
        bar.update(progress.done, progress.total),
    };
    const result = await calibrateRun(finishedRun(String(path)), {
      method: text(options.method) as CalibrateOptions["method"],
      rule: ruleOf(options),
      corrupted,
      out: out === undefined ? undefined : resolve(out),
    }).finally(() => bar?.stop());
    output.result(result);
    const { before, after, operatingPoint, calibration } = result;
    const point = operatingPoint
      ? `${operatingPoint.threshold.toFixed(4)}: ${operatingPoint.rule}`
      : "none";
    output.print(
      [
        table([
          ["calibration", CALIBRATION_METHODS[calibration.method].title],
          ["operating point", point],
          ["validation films", after.n],
        ]),
        table(
          Object.keys(after.metrics).map((key) => [
            metricTitle(key),
            shownMetric(before.metrics[key]!),
            shownMetric(after.metrics[key]!),
            ...(result.corrupted ? [shownMetric(result.corrupted.metrics[key]!)] : []),
          ]),
          ["metric", "before", "after", ...(result.corrupted ? ["corrupted too"] : [])],
        ),
        NOTICE,
      ].join("\n\n"),
    );
    output.note(`wrote ${relative(process.cwd(), result.model)}`);
    return 0;
  },
};
