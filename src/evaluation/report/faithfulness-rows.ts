/** What was found of heat maps as rows of text: for the terminal and the page. */
import type { Faithfulness } from "../faithfulness/faithfulness.ts";
import type { FAITHFULNESS_METRICS, MethodFaithfulness } from "../faithfulness/summary.ts";
import type { MetricValue } from "../metric-values.ts";
import { intervalText, methodText, metricText } from "./metric-rows.ts";

/** In the place of a result: why there is none. */
export type ReportedFaithfulness = Faithfulness | { readonly unknown: string };

const TITLES: Readonly<Record<(typeof FAITHFULNESS_METRICS)[number], string>> = {
  deletion: "Deletion, area (the lower the better)",
  deletionOverShuffled: "Deletion: lower than its cells shuffled by",
  deletionOverCentre: "Deletion: lower than from the middle outwards by",
  insertion: "Insertion, area (the higher the better)",
  insertionOverShuffled: "Insertion: higher than its cells shuffled by",
  insertionOverCentre: "Insertion: higher than from the middle outwards by",
  exchange: "Exchange, area (the lower the better)",
  exchangeOverShuffled: "Exchange: lower than its cells shuffled by",
  exchangeOverCentre: "Exchange: lower than from the middle outwards by",
  shiftRank: "Film shifted: rank correlation of the maps",
  shiftChange: "Film shifted: change of the probability",
};

export const faithfulnessHead = ({ method }: MethodFaithfulness): string[] => [
  `heat map by ${method}`,
  "value",
  "95 % interval",
  "interval by",
];

/** One method's measures, then its likeness to maps of shuffled weights. */
export function faithfulnessRows(
  { metrics, forgotten }: MethodFaithfulness,
  { layers: all }: Pick<Faithfulness, "layers">,
): string[][] {
  const row = (title: string, metric: MetricValue) => [
    title,
    metricText(metric),
    intervalText(metric),
    methodText(metric),
  ];
  return [
    ...Object.entries(TITLES).map(([key, title]) => row(title, metrics[key]!)),
    ...forgotten.flatMap(({ layers, rankCorrelation, ssim }) => {
      const last =
        layers === 1 ? `The last of ${all} layers` : `The last ${layers} of ${all} layers`;
      const which = layers === all ? `All ${all} layers` : last;
      return [
        row(`${which} shuffled: rank correlation of the maps`, rankCorrelation),
        row(`${which} shuffled: structural similarity`, ssim),
      ];
    }),
  ];
}

/** How many films, and what was done to them. */
export function faithfulnessText(found: ReportedFaithfulness): string {
  if ("unknown" in found) return `Heat maps were not tried: ${found.unknown}.`;
  const { films, patients, steps, shift, class: of } = found;
  const whose = patients === null ? "" : ` of ${patients.toLocaleString("en")} patients`;
  return `Heat maps for ${of} on ${films.toLocaleString("en")} films${whose} that the model calls so, drawn by seed. Pixels go in ${steps} equal shares, those first where the map is highest: taken away (deletion) they become the film's mean, given back (insertion) they sharpen a blurred film, exchanged they become those of a film that is called otherwise. Shifts are of ${shift} pixels to each side. ${endsText(found)}`;
}

/** What is left to be seen where the film itself is gone. */
function endsText({ class: of, centre }: Faithfulness): string {
  const { deletion, insertion } = centre;
  return `The mean probability of ${of} is ${deletion[0]!.toFixed(3)} for the films, ${deletion.at(-1)!.toFixed(3)} where all pixels are taken away and ${insertion[0]!.toFixed(3)} for the blurred films: where it hardly changes, deletion and insertion cannot tell a good map from a bad one.`;
}

/** Whether the check against shuffled weights is passed, in words. */
export function sanityText({ method, dependsOnWeights, forgotten }: MethodFaithfulness): string {
  const value = forgotten.at(-1)?.rankCorrelation;
  if (dependsOnWeights === null || !value)
    return `${method}: not known whether its maps depend on what was learnt.`;
  const range = intervalText(value);
  const numbers = `rank correlation ${metricText(value, 3)}${range ? ` (${range})` : ""} with all weights shuffled`;
  return dependsOnWeights
    ? `${method}: its maps depend on what was learnt (${numbers}).`
    : `${method}: its maps stay nearly the same when all that was learnt is gone (${numbers}). Do not read them as what the network looks at.`;
}
