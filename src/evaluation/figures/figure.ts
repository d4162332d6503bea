/** A picture with the table that says the same. */
import type { Cell } from "../../page.ts";
import type { PlotSpec } from "../plot.ts";

export interface Figure {
  /** Of its files. */
  readonly name: string;
  readonly title: string;
  /** What is to be seen, for whoever has not seen such a picture before. */
  readonly caption: string;
  readonly plot: PlotSpec;
  readonly table: {
    readonly head: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
  };
}

/** Drawn sides in pixels: two plots stand beside each other on a page, one fits a phone. */
export const SIDE = 300;

/** A share as a percentage. */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

export const shown = (value: number | null, digits = 3): string =>
  value === null ? "not defined" : value.toFixed(digits);

/** A p-value; below four digits only that it is. */
export const pText = (p: number): string => (p < 0.0001 ? "< 0.0001" : p.toFixed(4));

/** An interval in words; nothing where there is none. */
export const between = (low: number | null, high: number | null, digits = 3): string =>
  low === null || high === null ? "" : `${low.toFixed(digits)} – ${high.toFixed(digits)}`;

/** The names that legends and axes have room for. */
export function shortened(name: string, longest = 28): string {
  return name.length <= longest ? name : `${name.slice(0, longest - 1)}…`;
}
