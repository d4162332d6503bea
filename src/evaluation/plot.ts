/** Vega-Lite specifications to SVG and PNG, without a browser. */
import type { TopLevelSpec } from "vega-lite";
import { PLOT_CONFIG } from "./theme.ts";

export type PlotSpec = TopLevelSpec;
/** One of several plots side by side. */
export type PlotPart = Extract<PlotSpec, { hconcat: unknown }>["hconcat"][number];

/** The SVG of a specification. Vega takes a third of a second to load, so it loads when first used. */
export async function plotSvg(spec: PlotSpec): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const compiled = compile({
    ...spec,
    config: { ...PLOT_CONFIG, ...spec.config },
  } as PlotSpec).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return renumbered(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Vega counts clips through the life of the process; equal plots shall be equal files. */
function renumbered(svg: string): string {
  const numbers = new Map<string, number>();
  return svg.replaceAll(/(id="|url\(#)clip(\d+)/g, (_, place: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `${place}clip${numbers.get(id)}`;
  });
}

/** A PNG on white at twice the drawn size. */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(Buffer.from(svg), { density: 144 })
    .flatten({ background: "#ffffff" })
    .png()
    .toBuffer();
}
