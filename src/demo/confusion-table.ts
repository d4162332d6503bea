/** The confusion matrix as an HTML table, the darker the more films. */
import type { Evaluation } from "../evaluation/index.ts";
import { escapeHtml } from "../page.ts";

export const CONFUSION_STYLE = `
table.confusion { margin: 1rem 0; border-collapse: separate; border-spacing: 3px; }
table.confusion th, table.confusion td { border: 0; padding: .5rem .9rem; vertical-align: middle; }
table.confusion td { text-align: center; font-size: 1.15rem; border-radius: 4px; min-width: 6.5rem; background: color-mix(in srgb, var(--cell) var(--share), var(--card)); }
table.confusion td small { display: block; color: inherit; opacity: .75; font-size: .78rem; }
table.confusion .right { --cell: var(--accent); } table.confusion .wrong { --cell: var(--warn); }
`;

/** Rows are what is true, columns what was predicted. The page needs CONFUSION_STYLE. */
export function confusionTable({ labels, matrix }: NonNullable<Evaluation["confusion"]>): string {
  const head = labels.map((label) => `<th>read as ${escapeHtml(label)}</th>`).join("");
  const rows = matrix.map((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, read) => {
      const share = total === 0 ? 0 : (100 * count) / total;
      // The root lets few wrong films be seen beside many right ones.
      const tint = (6 * Math.sqrt(share)).toFixed(0);
      return `<td class="${truth === read ? "right" : "wrong"}" style="--share:${tint}%">${count}<small>${share.toFixed(1)} %</small></td>`;
    });
    return `<tr><th>${escapeHtml(labels[truth]!)}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="confusion"><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}
