import type { SweepConfig } from "./config.ts";
import type { Trial } from "./trial.ts";
export async function writeSweepPlots(
  _sweep: string,
  _config: SweepConfig,
  _trials: readonly Trial[],
): Promise<void> {}
