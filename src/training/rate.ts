/** What a step is told: how far to go, and how closely the average follows. */
import type { Progress } from "./checkpoint.ts";
import type { Settings } from "./options.ts";
import { scheduleFactor } from "./schedule.ts";

/** The learning rate of the next step. */
export function learningRateAt(settings: Settings, progress: Progress, steps: number): number {
  const { epochs, warmup, schedule, lr } = settings;
  const epoch = progress.epoch + progress.step / steps;
  return lr * scheduleFactor(schedule, { epoch, epochs, warmup, drops: progress.drops });
}

/** The average follows closely at first. Source: TensorFlow, ExponentialMovingAverage (num_updates). */
export function averageDecayAt(
  { averageDecay }: Pick<Settings, "averageDecay">,
  steps: number,
): number {
  return Math.min(averageDecay, (1 + steps) / (10 + steps));
}
