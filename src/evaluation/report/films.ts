/** Which films a report shows: the most confident mistakes, and some of each class. */
import { labelsOf } from "../../datasets/index.portable.ts";
import { type FilmPicture, filmGrid, filmPicture } from "../../datasets/index.ts";
import { escapeHtml } from "../../page.ts";
import { randomStream } from "../../random.ts";
import { positiveOf } from "../prediction.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { classSaid } from "./said.ts";

const MISTAKES = 12;
const SAMPLES_PER_CLASS = 6;

/** The films read wrongly, the one first of which the model was surest; none of findings. */
export function confidentMistakes(
  set: PredictionSet,
  threshold: number | null,
  most = MISTAKES,
): number[] {
  if (set.task.kind === "findings") return [];
  const sureness = (index: number) =>
    set.predictions[index]!.probabilities[classSaid(set, index, threshold)]!;
  return set.keys
    .map((_, index) => index)
    .filter((index) => set.predictions[index]!.target[classSaid(set, index, threshold)] !== 1)
    .sort((a, b) => sureness(b) - sureness(a) || a - b)
    .slice(0, most);
}

/** Some films of each class or finding, drawn by seed. */
export function samplesByClass(
  { task, predictions }: PredictionSet,
  seed: number,
): { readonly label: string; readonly films: readonly number[] }[] {
  return labelsOf(task).map((label, column) => {
    const films = predictions.flatMap(({ target }, index) => (target[column] === 1 ? [index] : []));
    const drawn = randomStream(seed, "report", label).shuffled(films);
    return { label, films: drawn.slice(0, SAMPLES_PER_CLASS) };
  });
}

/** Path of a film's file; null where there is none. */
export type PathOf = (index: number) => string | null;

/** The section of films. The page needs FILM_GRID_STYLE. */
export async function filmsHtml(
  set: PredictionSet,
  { threshold, seed, pathOf }: { threshold: number | null; seed: number; pathOf: PathOf },
): Promise<string> {
  const mistakes = confidentMistakes(set, threshold);
  const wrong = await gridOf(mistakes, set, { threshold, pathOf });
  const groups = await Promise.all(
    samplesByClass(set, seed).map(async ({ label, films }) => {
      const grid = await gridOf(films, set, { threshold, pathOf });
      return films.length === 0
        ? ""
        : `<h3>${escapeHtml(label)} <small>drawn at random</small></h3>${grid}`;
    }),
  );
  const none = set.task.kind === "findings" ? "" : "<p>No film was read wrongly.</p>";
  const heading =
    "<h3>Read wrongly <small>the one first of which the model was surest</small></h3>";
  return `${mistakes.length > 0 ? `${heading}${wrong}` : none}${groups.join("")}`;
}

async function gridOf(
  films: readonly number[],
  set: PredictionSet,
  options: { threshold: number | null; pathOf: PathOf },
): Promise<string> {
  const pictures = films.flatMap((index): Promise<FilmPicture>[] => {
    const path = options.pathOf(index);
    const film = { path: path ?? "", key: set.keys[index]! };
    return path === null ? [] : [filmPicture(film, captionOf(set, index, options.threshold))];
  });
  return filmGrid(await Promise.all(pictures));
}

function captionOf(set: PredictionSet, index: number, threshold: number | null): string {
  const labels = labelsOf(set.task);
  const { target, probabilities } = set.predictions[index]!;
  const truth = labels.filter((_, label) => target[label] === 1).join(", ") || "nothing";
  if (set.task.kind === "findings") return truth;
  const positive = positiveOf(set.task);
  const said = classSaid(set, index, threshold);
  const shown = positive ?? said;
  return `${truth}, read as ${labels[said]} (${labels[shown]} ${probabilities[shown]!.toFixed(3)})`;
}
