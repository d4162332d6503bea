/** The frame of every HTML page that Hilum writes: one file, no network, light and dark, printable. */

export interface PageOptions {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Shown at the top of the page, for example that everything on it is synthetic. */
  readonly banner?: string | undefined;
  /** CSS of this page alone. */
  readonly style?: string | undefined;
}

const STYLE = `
:root { color-scheme: light dark; --ground: #fbfbfa; --ink: #1d2329; --quiet: #606a75; --line: #d9dde1; --card: #ffffff; --accent: #0072b2; --warn: #b3470a; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --ink: #e6e9ec; --quiet: #9aa4af; --line: #323a43; --card: #1b2026; --accent: #58b0e3; --warn: #f0944d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
p.lead { color: var(--quiet); margin-top: 0; max-width: 46rem; }
.notice { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--warn); padding: .5rem .8rem; font-size: .9rem; border-radius: 4px; margin: .5rem 0; }
.scroll { overflow-x: auto; } figure { margin: 1rem 0; } figcaption { color: var(--quiet); font-size: .88rem; }
figure img, figure svg { max-width: 100%; height: auto; border-radius: 4px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 500; } td.number, th.number { text-align: right; }
ul.findings { list-style: none; padding: 0; } ul.findings li { padding: .45rem 0 .45rem .8rem; border-left: 4px solid var(--line); margin: .4rem 0; }
ul.findings li.error { border-color: #c0392b; } ul.findings li.warning { border-color: var(--warn); }
.side { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .9rem; }
.cards b { display: block; font-size: 1.7rem; line-height: 1.25; font-variant-numeric: tabular-nums; } .cards span { color: var(--quiet); font-size: .85rem; display: block; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: .9em; }
footer { margin-top: 3rem; color: var(--quiet); font-size: .85rem; border-top: 1px solid var(--line); padding-top: .8rem; }
@media print { body { background: #fff; } main { max-width: none; padding: 0; } figure, table { break-inside: avoid; } }
`;

export const NOT_FOR_CLINICAL_USE = "Not for clinical use";

/** The page as one HTML document. `title` and `banner` are text and are escaped; `body` is HTML. */
export function page({ title, body, banner, style = "" }: PageOptions): string {
  const notices = [
    ...(banner ? [banner] : []),
    `${NOT_FOR_CLINICAL_USE}. A research tool: it helps a physician decide, it never decides.`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}${style}</style></head>
<body><main>
${notices.map((text) => `<div class="notice" role="note">${escapeHtml(text)}</div>`).join("\n")}
<h1>${escapeHtml(title)}</h1>
${body}
<footer>Made by Hilum. ${NOT_FOR_CLINICAL_USE}.</footer>
</main></body></html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

export type Cell = string | number;

/** A table of text and numbers; numbers are aligned right. */
export function htmlTable(rows: readonly (readonly Cell[])[], head?: readonly string[]): string {
  const cell = (tag: "td" | "th", value: Cell) =>
    `<${tag}${typeof value === "number" ? ' class="number"' : ""}>${escapeHtml(String(value))}</${tag}>`;
  const header = head
    ? `<thead><tr>${head.map((text) => cell("th", text)).join("")}</tr></thead>`
    : "";
  const body = rows
    .map((row) => `<tr>${row.map((value) => cell("td", value)).join("")}</tr>`)
    .join("");
  return `<div class="scroll"><table>${header}<tbody>${body}</tbody></table></div>`;
}

/** A PNG inside the page. */
export function htmlPicture(png: Uint8Array, caption: string): string {
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return `<figure><img src="${source}" alt="${escapeHtml(caption)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

/** An SVG that we made, inside the page. */
export function htmlPlot(svg: string, caption: string): string {
  return `<figure>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}
