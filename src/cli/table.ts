/** Tables for the terminal. */
import Table from "cli-table3";
import pc from "picocolors";

const BARE = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Rows of cells without lines; long cells wrap at the terminal's width, or at 100 columns. */
export function table(
  rows: readonly (readonly (string | number)[])[],
  head?: readonly string[],
): string {
  const columns = Math.max(...rows.map((row) => row.length), head?.length ?? 0);
  const width = Math.max(60, Math.min(process.stdout.columns ?? 100, 120));
  const first = Math.max(...rows.map((row) => String(row[0]).length), 0);
  const result = new Table({
    chars: BARE,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    ...(head ? { head: head.map((title) => pc.bold(title)) } : {}),
    ...(columns === 2
      ? {
          colWidths: [null, Math.max(20, width - first - 4)],
          wordWrap: true,
          wrapOnWordBoundary: false,
        }
      : {}),
  });
  for (const row of rows) result.push([...row]);
  return result.toString().replace(/ +$/gm, "");
}
