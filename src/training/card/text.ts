/** A model card for people: sections that become Markdown and HTML. */
import {
  CALIBRATION_HEAD,
  calibrationRows,
  METRIC_HEAD,
  metricRows,
  metricText,
  metricTitle,
} from "../../evaluation/index.ts";
import { escapeHtml, htmlTable, page } from "../../page.ts";
import type { CardEvaluation, CardFacts } from "./facts.ts";
import type { CardResults, CardRobustness } from "./results.ts";

interface CardSection {
  readonly title: string;
  readonly paragraphs?: readonly string[];
  readonly list?: readonly string[];
  readonly head?: readonly string[];
  readonly rows?: readonly (readonly string[])[];
}

const interval = (low: number | null, high: number | null) =>
  low === null || high === null ? "" : `${low.toFixed(3)} – ${high.toFixed(3)}`;

const plainText = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);

const ASPECT: Readonly<Record<CardFacts["input"]["fit"], string>> = {
  squash:
    "A film of any aspect ratio is squashed to that square, as the training films were: its proportions are lost.",
  pad: "A film keeps its proportions: it is padded with black to a square.",
};

function averagedText({ averagedWith = [] }: CardFacts): string[] {
  if (averagedWith.length === 0) return [];
  const others = averagedWith.map(({ epochs, bestEpoch, settings }) => {
    const own = Object.entries(settings).map(([name, value]) => `${name} ${plainText(value)}`);
    return `${own.join(", ") || "the same settings"} (epoch ${bestEpoch} of ${epochs})`;
  });
  return [
    `The weights are the mean of those of ${averagedWith.length + 1} trainings that began with the same; further ones, in place of the settings below: ${others.join("; ")}.`,
  ];
}

const countsText = ({ n, patients }: CardEvaluation): string =>
  `${n.toLocaleString("en")} films${patients === null ? "" : ` of ${patients.toLocaleString("en")} patients`}`;

function classSections(title: string, { perClass }: CardEvaluation): CardSection[] {
  if (!perClass) return [];
  return [
    {
      title,
      head: ["label", "AUROC", "95 % interval"],
      rows: Object.entries(perClass).map(([name, { auroc }]) => [
        name,
        auroc ? metricText(auroc) : "not defined",
        interval(auroc?.low ?? null, auroc?.high ?? null),
      ]),
    },
  ];
}

function subgroupContents({
  subgroups,
  worstSubgroup,
}: Pick<CardFacts, "subgroups" | "worstSubgroup">): Omit<CardSection, "title"> {
  return {
    paragraphs: worstSubgroup
      ? [`The worst group is ${worstSubgroup}: it falls furthest below all films.`]
      : [],
    head: ["column", "group", "films", "metric", "value", "95 % interval"],
    rows: subgroups.map(({ column, group, n, metric, value }) => [
      column,
      group,
      n.toLocaleString("en"),
      metricTitle(metric),
      metricText(value),
      interval(value.low, value.high),
    ]),
  };
}

/** An evaluation on films that the run did not choose by. */
function resultSections(results: CardResults): CardSection[] {
  const { data, threshold, metrics, uncalibrated, robustness, warnings } = results;
  const part = data.split === null ? "" : `, part ${data.split}`;
  return [
    {
      title: "Metrics on other films",
      paragraphs: [
        `${data.name}${part}: ${countsText(results)}, with 95 % intervals${threshold === null ? "" : `, at an operating point of ${threshold.toFixed(4)}`}. Contents and labels of these films: sha256 ${data.sha256}.`,
        ...warnings,
      ],
      head: METRIC_HEAD,
      rows: metricRows(metrics),
    },
    ...classSections("By label on other films", results),
    ...(results.subgroups.length === 0
      ? []
      : [{ title: "Subgroups of other films", ...subgroupContents(results) }]),
    ...(uncalibrated
      ? [
          {
            title: "Calibration on other films",
            head: CALIBRATION_HEAD,
            rows: calibrationRows({ metrics: uncalibrated }, metrics),
          },
        ]
      : []),
    ...(robustness ? [{ title: "Spoilt films", paragraphs: [robustnessText(robustness)] }] : []),
  ];
}

function robustnessText({ films, clean, worst }: CardRobustness): string {
  const [title, key] =
    clean.auroc === null
      ? (["Balanced accuracy", "balancedAccuracy"] as const)
      : (["AUROC", "auroc"] as const);
  const value = (result: CardRobustness["clean"]) => result[key]?.toFixed(3) ?? "not defined";
  const most = worst
    ? ` The worst corruption is ${worst.corruption} at severity ${worst.severity}: ${value(worst)}.`
    : "";
  return `${title} of ${films.toLocaleString("en")} films brought to a shorter side of 224 pixels: ${value(clean)}.${most}`;
}

/** In the order of the table of contents that the reporting guidelines agree on. */
function sectionsOf(facts: CardFacts): CardSection[] {
  const { task, data, operatingPoint, validation, calibration } = facts;
  const classes = task.labels.join(", ");
  return [
    {
      title: "Intended use",
      paragraphs: [
        facts.notice,
        `For research: it gives each frontal chest film probabilities of ${classes}${task.positive ? `; ${task.positive} is the positive class` : ""}. A physician reads every film; the model may put films in order or say what to look at again.`,
        "Not for: diagnosis without a physician, films other than of the chest, patients unlike those below.",
        operatingPoint
          ? `A film counts as positive from a probability of ${operatingPoint.threshold.toFixed(4)} upwards (${operatingPoint.rule}).`
          : "It has no operating point of its own.",
      ],
    },
    {
      title: "Data and splits",
      paragraphs: [
        `${data.name}; no patient is in two parts${data.leaks.length > 0 ? ", with exceptions (see limits)" : ""}.`,
      ],
      head: ["part", "films", "patients", ...task.labels],
      rows: Object.entries(data.parts).map(([name, { films, patients, labels }]) => [
        name,
        films.toLocaleString("en"),
        patients.toLocaleString("en"),
        ...task.labels.map((label) => (labels[label] ?? 0).toLocaleString("en")),
      ]),
    },
    {
      title: "Recipe",
      paragraphs: [
        `Trained for ${facts.training.epochs} epochs; epoch ${facts.training.bestEpoch} was kept, by ${facts.training.selectedBy}. Films are fitted (${facts.input.fit}) to ${facts.input.size} x ${facts.input.size} pixels, grey levels ${facts.input.normalization}.`,
        ASPECT[facts.input.fit],
        ...averagedText(facts),
        ...(facts.input.averaging
          ? ["Each film is read together with its mirror, and the logits of both are averaged."]
          : []),
        ...(facts.weights === "float32"
          ? []
          : [`The file holds the weights as ${facts.weights}; the arithmetic is float32.`]),
      ],
      head: ["setting", "value"],
      rows: Object.entries(facts.recipe)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => [name, plainText(value)]),
    },
    {
      title: "Metrics on the validation films",
      paragraphs: [`${countsText(validation)}, with 95 % intervals.`],
      head: METRIC_HEAD,
      rows: metricRows(validation.metrics),
    },
    ...classSections("By label", validation),
    {
      title: "Subgroups",
      ...(facts.subgroups.length === 0
        ? { paragraphs: ["The data name no groups (a manifest's further columns would)."] }
        : subgroupContents(facts)),
    },
    ...(facts.evaluation ? resultSections(facts.evaluation) : []),
    {
      title: "Calibration",
      paragraphs: [
        calibration
          ? `Calibrated on the validation films: ${Object.entries(calibration)
              .map(([name, value]) => `${name} ${plainText(value)}`)
              .join(", ")}.`
          : "Not calibrated: probabilities are the network's own.",
        ...(["ece", "adaptiveEce", "brier"] as const).flatMap((key) => {
          const metric = validation.metrics[key];
          return typeof metric?.value === "number"
            ? [`${metricTitle(key)}: ${metric.value.toFixed(4)}.`]
            : [];
        }),
      ],
    },
    { title: "Known limits", list: facts.limits },
    {
      title: "Environment and hashes",
      head: ["what", "value"],
      rows: [
        ...Object.entries(facts.environment),
        ...Object.entries(facts.hashes).map(([name, digest]) => [`${name} (sha256)`, digest]),
      ],
    },
  ];
}

export function cardMarkdown(facts: CardFacts): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const parts = sectionsOf(facts).map(({ title, paragraphs = [], list = [], head, rows = [] }) =>
    [
      `## ${title}`,
      ...paragraphs,
      list.map((text) => `- ${text}`).join("\n"),
      head && rows.length > 0
        ? [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n")
        : "",
    ]
      .filter(Boolean)
      .join("\n\n"),
  );
  return `${[`# Model card: ${facts.name}`, ...parts].join("\n\n")}\n`;
}

const STYLE = "td { overflow-wrap: anywhere; }";

export function cardPage(facts: CardFacts): string {
  const body = sectionsOf(facts).map(({ title, paragraphs = [], list = [], head, rows = [] }) =>
    [
      `<section><h2>${escapeHtml(title)}</h2>`,
      ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
      list.length > 0
        ? `<ul>${list.map((text) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>`
        : "",
      head && rows.length > 0 ? htmlTable(rows, head) : "",
      "</section>",
    ].join(""),
  );
  return page({ title: `Model card: ${facts.name}`, body: body.join("\n"), style: STYLE });
}
