/** Figures as HTML and as files. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { guardDisk, writeFileAtomically } from "../../files.node.ts";
import { escapeHtml, htmlTable } from "../../page.ts";
import type { Figure } from "../figures/figure.ts";
import { plotSvg, svgToPng } from "../plot.ts";
import { DARK_PLOT_STYLE } from "../theme.ts";

export interface DrawnFigure extends Figure {
  readonly svg: string;
}

export const FIGURE_STYLE = `
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.4rem 2rem; align-items: start; }
.figures figure { margin: 0; min-width: 0; }
figure svg text { font-family: inherit; }
figure details { margin-top: .4rem; font-size: .88rem; } summary { cursor: pointer; color: var(--quiet); }
figure.wide { grid-column: 1 / -1; }
@media screen and (prefers-color-scheme: dark) { ${DARK_PLOT_STYLE} }
@media print { details::details-content { content-visibility: visible; display: block; } details > summary { list-style: none; } figure, p { break-inside: avoid; } h2, h3, summary, .lead { break-after: avoid; } }
`;

export async function drawFigures(figures: readonly Figure[]): Promise<DrawnFigure[]> {
  return Promise.all(
    figures.map(async (figure) => ({ ...figure, svg: await plotSvg(figure.plot) })),
  );
}

/** The figure with its caption, and its table folded below it. The page needs FIGURE_STYLE. */
export function figureHtml({ name, svg, title, caption, table }: DrawnFigure): string {
  const labelled = svg
    .replace("<svg ", `<svg role="img" aria-label="${escapeHtml(title)}" `)
    // Every picture counts its clips from the same number, and ids are the whole page's.
    .replaceAll(/(id="|url\(#)(?=clip)/g, `$1${name}-`);
  const rows =
    table.rows.length === 0
      ? ""
      : `<details><summary>${escapeHtml(title)} as a table</summary>${htmlTable(table.rows, table.head)}</details>`;
  return `<figure>${labelled}<figcaption>${escapeHtml(caption)}</figcaption>${rows}</figure>`;
}

/** Figures beside each other where there is room. */
export function figuresHtml(figures: readonly DrawnFigure[]): string {
  return `<div class="figures">${figures.map(figureHtml).join("")}</div>`;
}

/** Each figure as NAME.svg, which turns dark with its reader, and NAME.png, on white. */
export async function writeFigures(folder: string, figures: readonly DrawnFigure[]): Promise<void> {
  guardDisk(folder, () => mkdirSync(folder, { recursive: true }));
  for (const { name, svg } of figures) {
    const turning = svg.replace(
      /(<svg [^>]*>)/,
      `$1<style>@media (prefers-color-scheme: dark) { ${DARK_PLOT_STYLE} }</style>`,
    );
    writeFileAtomically(join(folder, `${name}.svg`), turning);
    writeFileAtomically(join(folder, `${name}.png`), await svgToPng(svg));
  }
}
