/** What probabilities the films of each class were given. */
import { CATEGORY, COLOURS } from "../theme.ts";
import { type Figure, shortened } from "./figure.ts";

const BINS = 25;
const WIDTH = 300;

/** One histogram for each true class, above each other. */
export function histogramFigure(
  classes: readonly { readonly name: string; readonly scores: ArrayLike<number> }[],
  { positive, threshold }: { positive: string; threshold: number | null },
): Figure {
  const counted = classes.map(({ name, scores }) => ({
    name: shortened(name),
    bins: binsOf(scores),
  }));
  const values = counted.flatMap(({ name, bins }) =>
    bins.map((n, bin) => ({ name, n, from: bin / BINS + 0.002, to: (bin + 1) / BINS - 0.002 })),
  );
  return {
    name: "scores",
    title: "Probabilities by class",
    caption: `How many films of each class were given which probability of ${positive}; few stand in the middle where the model is sure of itself.${threshold === null ? "" : " The line is the operating point: what lies right of it is called positive."} The heights have scales of their own.`,
    plot: {
      spacing: 14,
      vconcat: counted.map(({ name }, index) => ({
        width: WIDTH,
        height: 300 / counted.length - 20,
        title: name,
        layer: [
          {
            data: { values: values.filter((value) => value.name === name) },
            mark: { type: "rect" as const, color: CATEGORY[index % CATEGORY.length]! },
            encoding: {
              x: {
                field: "from",
                type: "quantitative" as const,
                title:
                  index === counted.length - 1 ? `Probability of ${shortened(positive)}` : null,
                scale: { domain: [0, 1] },
              },
              x2: { field: "to" },
              y: {
                field: "n",
                type: "quantitative" as const,
                title: "Films",
                axis: { tickCount: 4, tickMinStep: 1 },
                scale: { zero: true },
              },
              y2: { datum: 0 },
            },
          },
          {
            data: { values: threshold === null ? [] : [{ threshold: Math.min(1, threshold) }] },
            mark: { type: "rule" as const, color: COLOURS.third, strokeWidth: 2 },
            encoding: { x: { field: "threshold", type: "quantitative" as const } },
          },
        ],
      })),
    },
    table: {
      head: ["probability", ...classes.map(({ name }) => name)],
      rows: Array.from({ length: BINS }, (_, bin) => [
        `${(bin / BINS).toFixed(2)} – ${((bin + 1) / BINS).toFixed(2)}`,
        ...counted.map(({ bins }) => bins[bin]!),
      ]),
    },
  };
}

function binsOf(scores: ArrayLike<number>): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  for (let i = 0; i < scores.length; i++)
    bins[Math.min(BINS - 1, Math.floor(scores[i]! * BINS))]!++;
  return bins;
}
