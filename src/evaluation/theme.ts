/** Colours and type of all plots: colour-blind safe (Okabe and Ito 2008), readable on light and dark. */

export const COLOURS = {
  first: "#0072b2",
  second: "#d55e00",
  third: "#009e73",
  quiet: "#7f8790",
  /** Text that stands in a coloured field. */
  ink: "#3b434c",
} as const;

const TEXT = "#6b7480";

/** For series without an order; after the last it begins anew. */
export const CATEGORY: readonly string[] = [
  COLOURS.first,
  COLOURS.second,
  COLOURS.third,
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
];

/** What a dark ground shows instead. */
const ON_DARK: Readonly<Record<string, string>> = {
  [TEXT]: "#aab3bd",
  [COLOURS.ink]: "#f1f3f5",
  [COLOURS.first]: "#58b0e3",
  [COLOURS.second]: "#f0803c",
  [COLOURS.third]: "#2fc49a",
};

/** CSS rules that lighten what a plot draws, for a page or a picture that turns dark by itself. */
export const DARK_PLOT_STYLE = Object.entries(ON_DARK)
  .flatMap(([light, dark]) =>
    ["fill", "stroke"].map((paint) => `svg [${paint}="${light}"]{${paint}:${dark}}`),
  )
  .join("");

/** Vega-Lite configuration; the ground stays transparent. */
export const PLOT_CONFIG = {
  background: null,
  font: "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: TEXT,
    titleColor: TEXT,
    gridColor: "#8a93a033",
    domainColor: "#8a93a0",
    tickColor: "#8a93a0",
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 500,
  },
  legend: { labelColor: TEXT, titleColor: TEXT, labelFontSize: 11, titleFontSize: 12 },
  title: { color: TEXT, fontSize: 13, fontWeight: 600, anchor: "start" },
  range: { category: CATEGORY },
} as const;
