/** How an operating point is chosen, as options of commands. */
import { HilumError } from "../errors.ts";
import type { OperatingRule } from "../evaluation/index.ts";
import { type CommandOption, number, text } from "./command.ts";

const RULES =
  "youden, sensitivity=0.98, specificity=0.9, cost=5 (a missed positive for 5 false alarms)";

export const ruleOptions = (byDefault: string): readonly CommandOption[] => [
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
  { flags: "--operating-point <rule>", description: `${RULES} (default: ${byDefault})` },
];

/** The rule that the options name. Throws `invalid-option`. */
export function ruleOf(options: Readonly<Record<string, unknown>>): OperatingRule | undefined {
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
