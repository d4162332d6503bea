/** What a model says of films as the pixels that a heat map names first are taken away or given back. */
import type { Cell } from "../../page.ts";
import type { Faithfulness } from "../faithfulness/faithfulness.ts";
import type { Curves } from "../faithfulness/film-record.ts";
import { type CurvePoint, curvePlot } from "./curves.ts";
import { type Figure, percent, shown } from "./figure.ts";

const CENTRE = "from the middle outwards";

const WORDS: Readonly<
  Record<keyof Curves, Pick<Figure, "title" | "caption"> & { readonly x: string }>
> = {
  deletion: {
    title: "Deletion",
    caption:
      "Mean probability as pixels are taken away, the hottest first. A map that shows what the answer rests on makes it fall at once: its line lies below those that do not know the film, its own cells at places drawn by chance (dashed) and pixels from the middle outwards.",
    x: "Share of pixels taken away",
  },
  insertion: {
    title: "Insertion",
    caption:
      "Mean probability as a blurred film gets its pixels back, the hottest first. A map that shows what the answer rests on makes it rise at once: its line lies above those that do not know the film, its own cells at places drawn by chance (dashed) and pixels from the middle outwards.",
    x: "Share of pixels given back",
  },
  exchange: {
    title: "Exchange",
    caption:
      "Mean probability as pixels are exchanged for those of a film that is called otherwise, the hottest first. A map that shows what the answer rests on makes it fall at once: its line lies below those that do not know the film, its own cells at places drawn by chance (dashed) and pixels from the middle outwards.",
    x: "Share of pixels exchanged",
  },
};

/** Each with a line for every method. */
export const faithfulnessFigures = (found: Faithfulness): Figure[] =>
  (["deletion", "insertion", "exchange"] as const)
    .filter((key) => found.centre[key] !== null)
    .map((key) => curveFigure(found, key));

function curveFigure(
  { methods, centre, class: of, films }: Faithfulness,
  key: keyof Curves,
): Figure {
  const { title, caption, x } = WORDS[key];
  const series = [
    ...methods.map(({ method, curves }) => ({ name: method, values: curves.map[key]! })),
    { name: CENTRE, values: centre[key]! },
  ];
  const shuffled = methods.map(({ method, curves }) => ({
    name: `${method}, cells shuffled`,
    values: curves.shuffled[key]!,
  }));
  const columns = [...series, ...shuffled];
  return {
    name: key,
    title,
    caption: `${caption} ${films.toLocaleString("en")} films.`,
    plot: curvePlot(
      series.map(({ name, values }) => ({ name, points: pointsOf(values) })),
      {
        title,
        x,
        y: `Probability of ${of}`,
        quiet: shuffled.map(({ values }) => pointsOf(values)),
      },
    ),
    table: {
      head: ["share", ...columns.map(({ name }) => name)],
      rows: everySecond(series[0]!.values).map((step): Cell[] => [
        percent(step / (series[0]!.values.length - 1), 0),
        ...columns.map(({ values }) => shown(values[step]!)),
      ]),
    },
  };
}

const pointsOf = (values: readonly number[]): CurvePoint[] =>
  values.map((y, step) => ({ x: step / (values.length - 1), y }));

const everySecond = (values: readonly number[]): number[] =>
  values.flatMap((_, step) => (step % 2 === 0 ? [step] : []));
