/** The pages of the board. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { escapeHtml, htmlTable, page } from "../../page.ts";
import { SWEEP_FILES, type SweepResult } from "../../training/index.ts";

const STYLE = `
main { max-width: 78rem; } nav { margin: .5rem 0; } a { color: var(--accent); }
input[type=search] { font: inherit; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: 4px; background: var(--card); color: inherit; width: 20rem; max-width: 100%; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--accent); }
tr.unfinished td:nth-child(3) { color: var(--warn); }
#live { color: var(--quiet); } .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); } svg .grid { stroke: var(--line); }
.line { fill: none; stroke-width: 2; } .line.s0 { stroke: #0072b2; } .line.s1 { stroke: #d55e00; }
.dot.s0 { fill: #0072b2; } .dot.s1 { fill: #d55e00; } svg text.s0 { fill: #0072b2; } svg text.s1 { fill: #d55e00; }
`;

const SCRIPT = '<script src="/board.js" defer></script>';
const BACK = '<nav><a href="/">All runs</a></nav>';

export function runsPage(folder: string): string {
  return page({
    title: "Runs",
    style: STYLE,
    body: `<p class="lead">In ${escapeHtml(folder)}. <span id="live">connecting</span></p>
<p><label>Filter <input type="search" id="filter" placeholder="words in folder, model or state"></label> <span id="count"></span></p>
<div class="scroll"><table><thead><tr id="head"></tr></thead><tbody id="rows"></tbody></table></div>
<section id="of-sweeps" hidden><h2>Sweeps</h2><ul id="sweeps"></ul></section>${SCRIPT}`,
  });
}

export function runPage(path: string): string {
  return page({
    title: path,
    style: STYLE,
    body: `${BACK}<p class="lead"><span id="state"></span> <span id="live">connecting</span></p>
<div id="curves" class="charts"></div>
<div class="side"><div><h2>Best epoch</h2><table><tbody id="metrics"></tbody></table></div>
<div><h2>Settings</h2><table><tbody id="settings"></tbody></table></div></div>${SCRIPT}`,
  });
}

/** A sweep as its last finished worker left it: plots, and its trials. */
export function sweepPage(path: string, folder: string): string {
  const file = join(folder, SWEEP_FILES.result);
  if (!existsSync(file))
    return page({
      title: path,
      style: STYLE,
      body: `${BACK}<p>The sweep is under way: its trials are among the runs, and its plots come at its end.</p>`,
    });
  const { trials, best, command } = JSON.parse(readFileSync(file, "utf8")) as SweepResult;
  const plots = join(folder, SWEEP_FILES.plots);
  const pictures = (existsSync(plots) ? readdirSync(plots) : [])
    .filter((name) => name.endsWith(".svg"))
    .map((name) => `<figure>${readFileSync(join(plots, name), "utf8")}</figure>`);
  const rows = trials.map(({ number, state, value, seconds, params }) => [
    number,
    state,
    value?.toFixed(4) ?? "–",
    `${seconds.toFixed(1)} s`,
    Object.entries(params)
      .map(
        ([name, given]) =>
          `${name} ${typeof given === "number" ? Number(given.toPrecision(4)) : given}`,
      )
      .join("  "),
  ]);
  const chosen = best
    ? `<p>Best: trial ${best.number}. <code>${escapeHtml(command ?? "")}</code></p>`
    : "";
  return page({
    title: path,
    style: STYLE,
    body: `${BACK}${chosen}${pictures.join("\n")}<h2>Trials</h2>${htmlTable(rows, ["trial", "state", "value", "time", "options"])}`,
  });
}
