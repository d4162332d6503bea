/** What the shipped model said of some films, as one HTML page. */
import { basename } from "node:path";
import type { ClassifierMetadata } from "../classifier/index.ts";
import { gateWords, NOTICE, type Reading, readingOf } from "../classifier/index.ts";
import { escapeHtml, page } from "../page.ts";
import { COMMANDS_AFTER_READING } from "./commands.ts";
import { HEAT_GRADIENT } from "./overlay.ts";
import type { PicturedFilm, ReadingDemoResult } from "./reading-demo.ts";

/** Stands on every page of synthetic films. */
export const SYNTHETIC_BANNER = "synthetic: shows the path, says nothing about accuracy";

const STYLE = `
.readings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
.readings figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; display: flex; flex-direction: column; }
.readings .film { background: #0c0f12; display: grid; place-items: center; min-height: 4rem; color: #9aa4af; }
.readings .film img { display: block; max-height: 20rem; border-radius: 0; }
.readings figcaption { padding: .6rem .9rem .8rem; overflow-wrap: anywhere; }
.readings b { font-size: 1.1rem; color: var(--ink); } .readings p { margin: .15rem 0; }
.meter { position: relative; height: .55rem; border-radius: 3px; background: var(--line); margin: .5rem 0; }
.meter i { position: absolute; inset: 0 auto 0 0; background: var(--accent); border-radius: 3px; }
.meter u { position: absolute; top: -.2rem; bottom: -.2rem; width: 2px; background: var(--ink); }
.gate { color: var(--warn); }
.legend { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; color: var(--quiet); font-size: .88rem; margin-bottom: 1rem; }
.legend i { width: 9rem; height: .7rem; border-radius: 3px; background: ${HEAT_GRADIENT}; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; line-height: 1.6; }
pre .why { color: var(--quiet); }
`;

export interface ReadingRecord extends ReadingDemoResult {
  /** What the model is called. */
  readonly name: string;
  readonly metadata: ClassifierMetadata;
  readonly films: readonly PicturedFilm[];
}

/** One self-contained HTML page. */
export function readingPage(record: ReadingRecord): string {
  const cards = record.films.map((film) => card(film, record));
  const lines = COMMANDS_AFTER_READING.map(
    ({ command, why }) => `${escapeHtml(command)}  <span class="why"># ${escapeHtml(why)}</span>`,
  );
  return page({
    title: record.synthetic ? "Hilum demo: synthetic chest films" : "Hilum demo: your films",
    banner: record.synthetic ? SYNTHETIC_BANNER : undefined,
    style: STYLE,
    body: `${lead(record)}${legend(record.positive)}<div class="readings">${cards.join("")}</div>
<section><h2>Go on</h2><pre><code>${lines.join("\n")}</code></pre><p>${escapeHtml(NOTICE)}</p></section>`,
  });
}

const legend = (positive: string | null): string =>
  `<div class="legend"><span>On the right of each film its heat map, what spoke for ${escapeHtml(positive ?? "the most probable label")}: least</span><i></i><span>most, within that film alone</span></div>`;

function lead({ synthetic, name, films, isGated, positive, metadata }: ReadingRecord): string {
  const point = metadata.operatingPoint;
  const words = [
    `The model "${basename(name)}" read ${films.length === 1 ? "one film" : `${films.length.toLocaleString("en")} films`}${synthetic ? ", drawn by a program; they show no patient" : ""}.`,
    positive !== null && point
      ? `A film counts as ${positive} from a probability of ${point.threshold.toFixed(3)} upwards (the operating point: ${point.rule}).`
      : "",
    isGated
      ? "Before a reading, a gate says whether the image is an upright, whole, well exposed chest X-ray."
      : "The model has no gate: it reads whatever it is given.",
  ];
  return `<p class="lead">${escapeHtml(words.filter(Boolean).join(" "))}</p>`;
}

function card(film: PicturedFilm, record: ReadingRecord): string {
  const { path, jpeg, error, reading, drawn } = film;
  const name = basename(path);
  const picture = jpeg
    ? `<img src="data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}" alt="${escapeHtml(`${name}, and its heat map`)}">`
    : error
      ? "not read"
      : "no picture: too many for one page";
  const truth = drawn ? `drawn as ${drawn.label}${drawn.kind ? ` (${drawn.kind})` : ""}` : "";
  const words = error
    ? `<p class="gate">${escapeHtml(error.message)}</p>`
    : readingWords(reading!, record);
  const small = [name, truth].filter(Boolean).join(", ");
  return `<figure><div class="film">${picture}</div><figcaption>${words}<p>${escapeHtml(small)}</p></figcaption></figure>`;
}

function readingWords(reading: Reading, { synthetic, isGated, metadata }: ReadingRecord): string {
  const { assessed, reasons, corrections, warnings } = reading;
  const codes = assessed ? [...corrections, ...warnings] : reasons;
  const gate = gateWords(codes);
  const verdict = assessed ? (gate ? `Gate: ${gate}` : "Gate: assessed") : `Not assessed: ${gate}`;
  const gateLine = isGated
    ? `<p${codes.length > 0 ? ' class="gate"' : ""}>${escapeHtml(verdict)}</p>`
    : "";
  if (!assessed && !synthetic) return gateLine;
  const shown = readingOf(Object.values(reading.probabilities), metadata);
  const answer = answerOf(shown, metadata);
  const path = assessed ? "" : "<p>To show the path, what the network would have said:</p>";
  return `${gateLine}${path}${answer}`;
}

function answerOf(
  { label, probability, probabilities }: Reading,
  { operatingPoint }: ClassifierMetadata,
): string {
  const head = `<b>${escapeHtml(label!)}</b>`;
  if (probability === null) {
    const all = Object.entries(probabilities).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    return `<p>${head} ${escapeHtml(all.join(", "))}</p>`;
  }
  const mark = operatingPoint
    ? `<u style="left:${(100 * operatingPoint.threshold).toFixed(1)}%"></u>`
    : "";
  const against = operatingPoint ? `, operating point ${operatingPoint.threshold.toFixed(3)}` : "";
  return `<p>${head} probability ${probability.toFixed(3)}${against}</p><div class="meter"><i style="width:${(100 * probability).toFixed(1)}%"></i>${mark}</div>`;
}
