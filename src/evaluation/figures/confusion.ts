/** The confusion matrix as a picture. */
import type { Evaluation } from "../evaluation.ts";
import { CATEGORY, COLOURS } from "../theme.ts";
import { type Figure, percent, SIDE, shortened } from "./figure.ts";

/** How a cell is filled by its fields `isRight` and `share`: blue or orange, the fuller the more. */
export const RIGHT_OR_WRONG = {
  color: {
    field: "isRight",
    type: "nominal",
    legend: null,
    scale: { domain: [true, false], range: [CATEGORY[0]!, CATEGORY[1]!] },
  },
  // Few wrong films are to be seen beside many right ones.
  opacity: {
    field: "share",
    type: "quantitative",
    legend: null,
    scale: { type: "sqrt", domain: [0, 1], range: [0.06, 0.6] },
  },
} as const;

/** Rows are what is true, columns what the model said; the darker the larger the share of the row. */
export function confusionFigure({ labels, matrix }: NonNullable<Evaluation["confusion"]>): Figure {
  const cells = matrix.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((n, said) => ({
      truth: shortened(labels[truth]!, 14),
      said: shortened(labels[said]!, 14),
      n,
      share: total === 0 ? 0 : n / total,
      text: `${n.toLocaleString("en")}`,
      below: total === 0 ? "–" : percent(n / total),
      isRight: truth === said,
    }));
  });
  const sort = labels.map((label) => shortened(label, 14));
  const encoding = {
    x: {
      field: "said",
      type: "nominal",
      title: "Read as",
      sort,
      axis: {
        orient: "top",
        labelAngle: labels.length > 3 ? -40 : 0,
        grid: false,
        domain: false,
        ticks: false,
      },
    },
    y: {
      field: "truth",
      type: "nominal",
      title: "True",
      sort,
      axis: { grid: false, domain: false, ticks: false },
    },
  } as const;
  const side = Math.max(SIDE - 40, 44 * labels.length);
  const words = (field: string, dy: number, fontSize: number) => ({
    mark: { type: "text" as const, dy, fontSize, color: COLOURS.ink },
    encoding: { ...encoding, text: { field, type: "nominal" as const } },
  });
  const isSmall = labels.length > 4;
  return {
    name: "confusion",
    title: "Confusion matrix",
    caption:
      "Rows are what is true, columns what the model said at its operating point; percentages are of the row. Blue was read rightly, orange wrongly, the fuller the more.",
    plot: {
      width: side,
      height: side * (labels.length === 2 ? 0.75 : 1),
      title: "Confusion matrix",
      data: { values: cells },
      layer: [
        {
          mark: { type: "rect", cornerRadius: 3 },
          encoding: {
            ...encoding,
            ...RIGHT_OR_WRONG,
          },
        },
        words("text", isSmall ? -5 : -8, isSmall ? 11 : 17),
        words("below", isSmall ? 8 : 12, isSmall ? 9 : 12),
      ],
    },
    table: {
      head: ["true \\ read as", ...labels],
      rows: matrix.map((row, index) => [labels[index]!, ...row]),
    },
  };
}
