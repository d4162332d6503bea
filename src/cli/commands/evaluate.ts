import { join, relative, resolve } from "node:path";
import { EXPLANATION_METHODS } from "../../classifier/index.node.ts";
import { NOTICE } from "../../classifier/index.ts";
import { REPORT_FILES, writeReport } from "../../evaluation/index.ts";
import { type CommandDefinition, count, number, text } from "../command.ts";
import { evaluated, HEAT_MAP_FILMS } from "../evaluated.ts";
import { evaluationText } from "../evaluation-text.ts";

const DEFAULT_OUT = "evaluation";

const NOTES = `
Writes report.html (one file that needs no network), metrics.json, predictions.csv
and figures/*.svg, *.png into --out; with --json and no --out it writes nothing.

A file of predictions has the columns path, label, probability (of the positive
class), or p:CLASS for each of several classes, or p:FINDING and y:FINDING (1, 0
or empty); patient may be there, and further columns. Intervals are of 95 %: by a
bootstrap of patients where one has several films, else Wilson's for proportions
and DeLong's for AUROC.

--faithfulness draws films that the model calls positive and asks whether their heat
maps show what the answer rests on: pixels deleted, inserted and exchanged against two
controls that do not know the film; the map when the network's weights are shuffled,
and when the film is shifted by a few pixels.

Groups are compared by AUROC, or where a group has one class only by what is defined
in all of its column: sensitivity, specificity or accuracy. Widths, heights, aspects and
brightness are those of the films as they lie in their files.

The operating point is the model's own, which its validation films chose. It is
never chosen on the films that are evaluated: that would flatter the model.
`;

export const EVALUATE: CommandDefinition = {
  name: "evaluate",
  summary: "Hold a trained classifier, or anybody's predictions, against labelled films",
  operands: [{ name: "[model]", description: "a run folder or an .onnx file" }],
  options: [
    { flags: "--data <dir>", description: "the labelled films" },
    {
      flags: "--predictions <file>",
      description: "a CSV file of predictions, instead of a model",
    },
    { flags: "--out <folder>", description: `where the report goes (default: ${DEFAULT_OUT})` },
    { flags: "--no-images", description: "leave films, file names and patients out of it" },
    {
      flags: "--split <name>",
      description: "which split (default: test where there is one, else all films)",
    },
    {
      flags: "--threshold <p>",
      description: "a film at or above it is positive (default: the model's; of predictions 0.5)",
    },
    {
      flags: "--subgroup <column...>",
      description:
        "columns that name groups (default: those of 2 to 8 values, and the films' width, height, aspect, brightness in thirds)",
    },
    {
      flags: "--subgroup-pattern <name=regex...>",
      description:
        "groups by file names: the expression's first group, such as view=_(AP|PA)_ (default: bacteria and virus, where names say so)",
    },
    {
      flags: "--prevalence <share>",
      description: "say predictive values for this share of positives as well",
      parse: number,
    },
    {
      flags: "--reference <dir>",
      description: "labelled films to hold these against (default: the run's validation films)",
    },
    {
      flags: "--robustness",
      description:
        "also read the films spoilt in every way, at five severities; says its time first",
    },
    {
      flags: "--robustness-films <n>",
      description: "spoil a draw of so many films, each class with its share (default: all)",
      parse: count,
    },
    {
      flags: "--faithfulness [films]",
      description: `also try the model's heat maps on so many films (default: ${HEAT_MAP_FILMS}); says its time first`,
      parse: count,
    },
    {
      flags: "--explanations <method...>",
      description: "which heat maps (default: the model's own, else grad-cam)",
      choices: EXPLANATION_METHODS,
    },
    { flags: "--positive <class>", description: "the positive class of a file of predictions" },
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
  notes: NOTES,
  examples: [
    "hilum evaluate runs/cnn --data chest_xray",
    "hilum evaluate runs/cnn/model.onnx --data chest_xray --split test --json",
    "hilum evaluate runs/cnn --data chest_xray --robustness --robustness-films 200",
    "hilum evaluate pneumonia --data chest_xray --faithfulness 20 --explanations grad-cam occlusion",
    "hilum evaluate --predictions predictions.csv --subgroup sex age --prevalence 0.05",
  ],
  async run([model], options, context) {
    const { output } = context;
    const { report, result, leftOut } = await evaluated(text(model), options, context);
    for (const message of leftOut) output.note(`left out: ${message}`);
    for (const warning of report.warnings) output.note(`mind: ${warning}`);
    output.result(result);
    output.print(`${evaluationText(report)}\n\n${NOTICE}`);
    const out = text(options.out) ?? (output.isJson ? undefined : DEFAULT_OUT);
    if (out !== undefined) {
      await writeReport(resolve(out), report, result);
      output.note(`wrote ${relative(process.cwd(), join(resolve(out), REPORT_FILES.page))}`);
    }
    return 0;
  },
};
