/** A film beside its heat map, as one picture. */
import type { Fit } from "../images/index.portable.ts";
import { escapeHtml, NOT_FOR_CLINICAL_USE } from "../page.ts";
import type { HeatMap } from "./explainer.node.ts";
import type { Film } from "./film-batches.ts";
import { type GateCode, gateWords } from "./gate/scores.ts";
import { filmForHeat, HEAT_COLOURS } from "./heated-film.node.ts";

export interface OverlayFacts {
  readonly label: string;
  /** Of `class`. */
  readonly probability: number;
  /** What the heat map speaks for; the label where it is not given. */
  readonly class?: string | undefined;
  readonly method: string;
  /** How the film was made square; "squash" by default. */
  readonly fit?: Fit | undefined;
  /** What was put right of the film that is shown. */
  readonly corrections?: readonly GateCode[] | undefined;
}

const LONG_SIDE = 640;
const GAP = 16;
const HEAD = 64;
const FOOT = 64;
/** Below it the lines of text would not fit. */
const LEAST_WIDTH = 760;
const GROUND = "#14181d";
/**
 * A PNG: the film left, the heat over it right, at the film's own proportions (long side 640), with
 * label, probability, method, scale and notice. Heat runs from 0 to the largest of this film;
 * what speaks against the class (below 0) is left out.
 */
export async function overlayPng(
  film: Film,
  heatMap: HeatMap,
  facts: OverlayFacts,
): Promise<Buffer> {
  // Nothing but a picture needs it here, and reading films imports this file too.
  const { default: sharp } = await import("sharp");
  const { width, height, grey, heated } = await filmForHeat(film, LONG_SIDE);
  const whole = Math.max(2 * width + 3 * GAP, LEAST_WIDTH);
  const left = Math.floor((whole - 2 * width - GAP) / 2);
  const size = { width, height };
  const all = { width: whole, height: HEAD + height + FOOT };
  return sharp({ create: { ...all, channels: 3, background: GROUND } })
    .composite([
      { input: grey, raw: { ...size, channels: 1 }, left, top: HEAD },
      {
        input: heated(heatMap, facts.fit),
        raw: { ...size, channels: 3 },
        left: left + width + GAP,
        top: HEAD,
      },
      { input: Buffer.from(textOf(facts, all)), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
}

function textOf(facts: OverlayFacts, { width, height }: { width: number; height: number }) {
  const { label, probability, method, class: of = label, corrections = [] } = facts;
  const stops = HEAT_COLOURS.map(
    (colour, index) => `<stop offset="${index * 10}%" stop-color="rgb(${colour.join(",")})"/>`,
  ).join("");
  const line = (x: number, y: number, size: number, text: string) =>
    `<text x="${x}" y="${y}" font-size="${size}">${escapeHtml(text)}</text>`;
  const foot = height - FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="heat">${stops}</linearGradient></defs>
<g font-family="sans-serif" fill="#e6e9ec">
${line(GAP, 28, 20, `${label} · probability of ${of} ${probability.toFixed(3)}`)}
${line(GAP, 52, 14, `Heat: what speaks for ${of}, by ${method}. ${NOT_FOR_CLINICAL_USE}.`)}
<rect x="${GAP}" y="${foot + 14}" width="240" height="14" fill="url(#heat)" stroke="#9aa4af"/>
${line(GAP, foot + 46, 13, "0")}
${line(GAP + 170, foot + 46, 13, "largest here")}
${line(GAP + 272, foot + 26, 13, "A hint at what moved the score, not proof of where disease is.")}
${corrections.length > 0 ? line(GAP + 272, foot + 46, 13, `The film's ${gateWords(corrections)}.`) : ""}
</g></svg>`;
}
