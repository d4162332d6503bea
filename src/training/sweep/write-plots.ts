import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../files.node.ts";
import type { SweepConfig } from "./config.ts";
import { sweepPlots } from "./plots.ts";
import type { TrialResult } from "./result.ts";
import { SWEEP_FILES } from "./sweep-folder.ts";

/** Writes the sweep's plots as SVG into its folder. */
export async function writeSweepPlots(
  sweep: string,
  config: SweepConfig,
  trials: readonly TrialResult[],
): Promise<void> {
  const folder = join(sweep, SWEEP_FILES.plots);
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(await sweepPlots(config, trials)))
    writeFileAtomically(join(folder, `${name}.svg`), svg);
}
