import { relative, resolve } from "node:path";
import { NOTICE } from "../../classifier/index.ts";
import { HilumError } from "../../errors.ts";
import {
  CALIBRATION_METHODS,
  metricTitle,
  type OperatingRule,
  shownMetric,
} from "../../evaluation/index.ts";
import { type CalibrateOptions, calibrateRun, finishedRun } from "../../training/index.ts";
import { type CommandDefinition, number, text } from "../command.ts";
import { table } from "../table.ts";

const RULES =
  "youden, sensitivity=0.98, specificity=0.9, cost=5 (a missed positive for 5 false alarms)";

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
    {
      flags: "--target-sensitivity <share>",
      description: "the largest specificity with at least this sensitivity",
      parse: number,
    },
    {
      flags: "--target-specificity <share>",
      description: "the largest sensitivity with at least this specificity",
      parse: number,
    },
    { flags: "--operating-point <rule>", description: `${RULES} (default: youden)` },
    { flags: "--out <file>", description: "the calibrated model (default: the run's model.onnx)" },
  ],
  notes: `
Probabilities are corrected in the model's own graph: whatever loads it, in any
language, gets the calibrated ones. Calibrating again begins from the network's own
probabilities. Both are fitted to the validation films, so that what is said of these
films afterwards is too good: evaluate the model on films that it has never met.
`,
  examples: [
    "hilum calibrate runs/xception --target-sensitivity 0.98",
    "hilum calibrate runs/cnn --method platt --operating-point cost=5 --out calibrated.onnx",
  ],
  async run([path], options, { output }) {
    const out = text(options.out);
    const result = await calibrateRun(finishedRun(String(path)), {
      method: text(options.method) as CalibrateOptions["method"],
      rule: ruleOf(options),
      out: out === undefined ? undefined : resolve(out),
    });
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
          ]),
          ["metric", "before", "after"],
        ),
        NOTICE,
      ].join("\n\n"),
    );
    output.note(`wrote ${relative(process.cwd(), result.model)}`);
    return 0;
  },
};

function ruleOf(options: Readonly<Record<string, unknown>>): OperatingRule | undefined {
  const rules = [
    options.targetSensitivity !== undefined && `sensitivity=${options.targetSensitivity}`,
    options.targetSpecificity !== undefined && `specificity=${options.targetSpecificity}`,
    text(options.operatingPoint),
  ].filter((rule): rule is string => typeof rule === "string");
  if (rules.length > 1)
    throw new HilumError(
      "invalid-option",
      `Choose one operating point, not ${rules.join(" and ")}.`,
      {
        option: "operatingPoint",
        value: rules,
      },
    );
  return rules[0] === undefined ? undefined : parsedRule(rules[0]);
}

function parsedRule(rule: string): OperatingRule {
  if (rule === "youden") return { kind: "youden" };
  const [kind, amount] = rule.split("=");
  const value = Number(amount || Number.NaN);
  if (!Number.isNaN(value)) {
    if (kind === "sensitivity" || kind === "specificity") return { kind, target: value };
    if (kind === "cost") return { kind, ratio: value };
  }
  throw new HilumError(
    "invalid-option",
    `Option --operating-point is "${rule}". There are: ${RULES}.`,
    { option: "operatingPoint", value: rule },
  );
}
