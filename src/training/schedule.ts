/** Learning-rate schedules: the factor on the base rate, as a function of where training is. */

export interface SchedulePoint {
  /** Epochs done so far, with fractions: 1.5 is half-way through the second. */
  readonly epoch: number;
  readonly epochs: number;
  /** Epochs of linear warm-up, at most half of all; "onecycle" has its own instead. */
  readonly warmup: number;
  /** How often the plateau schedule has lowered the rate. */
  readonly drops: number;
}

type Factor = (point: SchedulePoint & { readonly progress: number }) => number;

/** `progress` goes from 0 after the warm-up to 1 at the end. */
const FACTORS = {
  constant: () => 1,
  // A tenth after half and a hundredth after four fifths of the epochs.
  step: ({ progress }) => (progress < 0.5 ? 1 : progress < 0.8 ? 0.1 : 0.01),
  // Source: Loshchilov and Hutter 2017, SGDR, equation 5, without restarts; ends at 1 %.
  cosine: ({ progress }) => 0.01 + 0.99 * halfCosine(progress),
  // Source: Smith and Topin 2018: up over three tenths, down to nearly nothing.
  onecycle: ({ progress }) =>
    progress < 0.3
      ? 1 - 0.96 * halfCosine(progress / 0.3)
      : 1e-4 + (1 - 1e-4) * halfCosine((progress - 0.3) / 0.7),
  // A third each time the metric has stood still for PLATEAU_EPOCHS.
  plateau: ({ drops }) => 3 ** -drops,
} as const satisfies Readonly<Record<string, Factor>>;

export type Schedule = keyof typeof FACTORS;
export const SCHEDULES = Object.keys(FACTORS) as Schedule[];

/** Epochs without improvement after which the plateau schedule lowers the learning rate. */
export const PLATEAU_EPOCHS = 3;

/** The share of the rate at the very first step of a warm-up. */
const COLD = 1e-3;

/** From 1 at 0 to 0 at 1. */
function halfCosine(part: number): number {
  return 0.5 * (1 + Math.cos(Math.PI * part));
}

/** The factor on the learning rate, above 0 and at most 1. */
export function scheduleFactor(schedule: Schedule, point: SchedulePoint): number {
  const { epoch, epochs, warmup } = point;
  const ramp = schedule === "onecycle" ? 0 : Math.min(warmup, epochs / 2);
  if (epoch < ramp) return COLD + (1 - COLD) * (epoch / ramp);
  const progress = Math.min(1, (epoch - ramp) / Math.max(1e-9, epochs - ramp));
  return FACTORS[schedule]({ ...point, progress });
}
