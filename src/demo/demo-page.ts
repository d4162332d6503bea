/** The demo as one HTML page. */
import { type Classifier, NOTICE } from "../classifier/index.node.ts";
import {
  type Dataset,
  FILM_GRID_STYLE,
  type FilmPicture,
  filmGrid,
  filmPicture,
  type PlannedPhantom,
  type Sample,
} from "../datasets/index.ts";
import {
  BINARY_METRICS,
  columnOf,
  type DatasetEvaluation,
  drawFigures,
  FIGURE_STYLE,
  figureHtml,
  type MetricValue,
  rocFigure,
} from "../evaluation/index.ts";
import { escapeHtml, htmlPicture, htmlPlot, htmlTable, page } from "../page.ts";
import { type RunResult, runFolder } from "../training/index.ts";
import { commandsAfter } from "./commands.ts";
import { CONFUSION_STYLE, confusionTable } from "./confusion-table.ts";
import type { DemoSettings } from "./settings.ts";
import { isRight, kindsOf, type ShownFilm } from "./shown-films.ts";

/** All that the page is made of. */
export interface DemoRecord {
  /** The folder as the user named it. */
  readonly out: string;
  readonly settings: DemoSettings;
  readonly plan: readonly PlannedPhantom[];
  readonly dataset: Dataset;
  readonly run: RunResult;
  readonly classifier: Classifier;
  readonly tested: DatasetEvaluation;
  readonly images: readonly ShownFilm[];
}

type Kind = PlannedPhantom["kind"];

/** What a film shows, in words, in the order of the page. */
const KINDS: readonly { readonly kind: Kind; readonly title: string; readonly words: string }[] = [
  { kind: null, title: "Normal", words: "no opacity" },
  { kind: "lobar", title: "Lobar", words: "pneumonia: one lobe filled up to its fissure" },
  { kind: "patchy", title: "Patchy", words: "pneumonia: fluffy patches on one side or both" },
  { kind: "interstitial", title: "Interstitial", words: "pneumonia: a fine net over both lungs" },
];

const SAMPLES_PER_KIND = 6;

const BANNER =
  "Everything on this page is synthetic: every film was drawn by a program and shows no patient.";

const STYLE = `${FIGURE_STYLE}${FILM_GRID_STYLE}${CONFUSION_STYLE}
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; } h3 small { color: var(--quiet); font-weight: 400; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; line-height: 1.6; }
.preview img { max-width: min(100%, 38rem); }
pre .why { color: var(--quiet); }
`;

/** One self-contained HTML page. */
export async function demoPage(record: DemoRecord): Promise<string> {
  return page({
    title: "Hilum demo: synthetic chest films",
    banner: BANNER,
    style: STYLE,
    body: [
      lead(record),
      cards(record),
      section("The films, by what they show", await sampleGrids(record)),
      section("What the network saw", preview(record)),
      section("Learning", curves(record)),
      section("On films that it had not seen", await testResults(record)),
      section("Readings", await readings(record)),
      section("Now with your own films", nextSteps(record)),
    ].join("\n"),
  });
}

const section = (title: string, body: string): string =>
  `<section><h2>${title}</h2>${body}</section>`;

const sentence = (text: string): string => `<p class="lead">${escapeHtml(text)}</p>`;

function lead({ settings, plan, run, tested }: DemoRecord): string {
  return sentence(
    `${plan.length.toLocaleString("en")} synthetic films were drawn, half of them with an opacity. The network "${settings.model}" learnt from ${run.images.train} of them for ${run.epochs} epochs, ${run.images.validation} chose its best epoch and its operating point, and ${tested.evaluation.n} films of other synthetic patients tested it.`,
  );
}

function cards({ tested: { evaluation } }: DemoRecord): string {
  const shown = ["auroc", "sensitivity", "specificity", "accuracy"].map((key) => {
    const { value } = evaluation.metrics[key]!;
    return `<div><b>${value === null ? "–" : value.toFixed(3)}</b><span>${escapeHtml(titleOf(key))}</span></div>`;
  });
  return `<div class="cards">${shown.join("")}</div>`;
}

const titleOf = (key: string): string =>
  BINARY_METRICS.find((metric) => metric.key === key)?.title ?? key;

/** Training films of different patients, so that none is shown twice in two poses. */
async function sampleGrids({ dataset, plan }: DemoRecord): Promise<string> {
  const kinds = kindsOf(plan);
  const grids = KINDS.map(async ({ kind, title, words }) => {
    const seen = new Set<string>();
    const films = dataset.split("train").filter(({ key, patient }) => {
      if (kinds.get(key) !== kind || seen.size === SAMPLES_PER_KIND || seen.has(patient))
        return false;
      seen.add(patient);
      return true;
    });
    return `<h3>${title} <small>${words}</small></h3>${filmGrid(await pictures([...films], () => ""))}`;
  });
  return (await Promise.all(grids)).join("");
}

function pictures<T extends Pick<Sample, "path" | "key">>(
  films: readonly T[],
  captionOf: (film: T) => string,
): Promise<FilmPicture[]> {
  return Promise.all(films.map((film) => filmPicture(film, captionOf(film))));
}

function preview({ run, classifier }: DemoRecord): string {
  const { size } = classifier.metadata.input;
  const png = runFolder(run.run).read("preview");
  const text = `On the left synthetic films at the network's ${size} x ${size} pixels; beside each, five of the random changes under which it met them.`;
  return png ? `<div class="preview">${htmlPicture(png, text)}</div>` : "";
}

function curves({ run }: DemoRecord): string {
  const svg = runFolder(run.run).read("curves");
  if (!svg) return "";
  const text = `By epoch; the weights of epoch ${run.bestEpoch} were kept.`;
  return htmlPlot(Buffer.from(svg).toString("utf8"), text);
}

async function testResults({ tested, plan }: DemoRecord): Promise<string> {
  const { evaluation, predictions } = tested;
  const { auroc } = evaluation.metrics;
  const roc = rocFigure([
    {
      name: evaluation.positive!,
      ...columnOf(predictions, 1),
      threshold: evaluation.threshold,
      auroc,
    },
  ]);
  const [drawn] = await drawFigures([roc]);
  const figure = figureHtml(drawn!);
  const rule = `A film counts as ${evaluation.positive} from a probability of ${evaluation.threshold!.toFixed(3)} upwards: the operating point that the validation films chose.`;
  return `${sentence(rule)}<div class="side">${figure}<div>${confusionTable(evaluation.confusion!)}${kindTable({ tested, plan })}</div></div>${metricTables(evaluation.metrics)}`;
}

/** Two tables side by side: one would be as long as a screen. */
function metricTables(metrics: Readonly<Record<string, MetricValue>>): string {
  const entries = Object.entries(metrics);
  const hasIntervals = entries.some(([, { low }]) => low !== null);
  const rows = entries.map(([key, { value, low, high }]) => [
    titleOf(key),
    value === null ? "not defined" : value.toFixed(4),
    ...(hasIntervals ? [low === null ? "" : `${low.toFixed(3)} – ${high!.toFixed(3)}`] : []),
  ]);
  const head = ["metric", "value", ...(hasIntervals ? ["95 % interval"] : [])];
  const half = Math.ceil(rows.length / 2);
  return `<div class="side">${htmlTable(rows.slice(0, half), head)}${htmlTable(rows.slice(half), head)}</div>`;
}

function kindTable({ tested, plan }: Pick<DemoRecord, "tested" | "plan">): string {
  const kinds = kindsOf(plan);
  const rows = KINDS.map(({ kind, title }) => {
    const indices = tested.samples.flatMap(({ key }, index) =>
      kinds.get(key) === kind ? [index] : [],
    );
    const right = indices.filter((index) => isRight(tested, index)).length;
    return [title, indices.length, right];
  });
  return htmlTable(rows, ["what the film shows", "films", "read rightly"]);
}

async function readings({ images, tested }: DemoRecord): Promise<string> {
  const wrong = images.filter(({ label, truth }) => label !== truth);
  const right = images.filter(({ label, truth }) => label === truth);
  const all = tested.samples.filter((_, index) => !isRight(tested, index)).length;
  const count = wrong.length < all ? `the worst ${wrong.length} of ${all}` : `all ${all}`;
  const captionOf = ({ truth, kind, probability }: ShownFilm) =>
    `${truth}${kind ? ` (${kind})` : ""}, probability ${probability.toFixed(2)}`;
  const missed = all === 0 ? "<p>None.</p>" : filmGrid(await pictures(wrong, captionOf));
  return `${sentence("What is true stands below each film, with the probability of pneumonia that the network gave it.")}
<h3>Read wrongly <small>${count}</small></h3>${missed}
<h3>Read rightly <small>some of each kind</small></h3>${filmGrid(await pictures(right, captionOf))}`;
}

function nextSteps({ out }: DemoRecord): string {
  const lines = commandsAfter(out).map(
    ({ command, why }) => `${escapeHtml(command)}  <span class="why"># ${escapeHtml(why)}</span>`,
  );
  return `${sentence("Put films into DIR/NORMAL and DIR/PNEUMONIA (or classes of your own), then:")}<pre><code>${lines.join("\n")}</code></pre><p>${escapeHtml(NOTICE)} What this network learnt from drawings says nothing about real films.</p>`;
}
