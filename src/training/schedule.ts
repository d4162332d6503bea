/** Learning-rate schedules: the factor on the base rate, as a function of where training is. */

export interface SchedulePoint {
  /** Epochs done so far, with fractions: 1.5 is half-way through the second. */
  readonly epoch: number;
  readonly epochs: number;
  /** Epochs of linear warm-up. */
  readonly warmup: number;
  /** How often the plateau schedule has lowered the rate. */
  readonly drops: number;
}

type Factor = (point: SchedulePoint & { readonly progress: number }) => number;

/** `progress` goes from 0 after the warm-up to 1 at the end. */
const FACTORS: Readonly<Record<string, Factor>> = {
  constant: () => 1,
  // A tenth after half and a hundredth after four fifths of the epochs.
  step: ({ progress }) => (progress < 0.5 ? 1 : progress < 0.8 ? 0.1 : 0.01),
  // Source: Loshchilov and Hutter 2017, SGDR, equation 5, without restarts; ends at 1 %.
  cosine: ({ progress }) => 0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * progress)),
  // Source: Smith and Topin 2018: up over three tenths, down to nearly nothing.
  onecycle: ({ progress }) =>
    progress < 0.3
      ? 0.04 + 0.96 * 0.5 * (1 - Math.cos((Math.PI * progress) / 0.3))
      : 1e-4 + (1 - 1e-4) * 0.5 * (1 + Math.cos((Math.PI * (progress - 0.3)) / 0.7)),
  // A third each time the metric has stood still (see train.ts).
  plateau: ({ drops }) => 3 ** -drops,
};

/** The factor on the learning rate. */
export function scheduleFactor(schedule: string, point: SchedulePoint): number {
  const { epoch, epochs, warmup } = point;
  const ramp = Math.min(warmup, epochs / 2);
  if (epoch < ramp) return (epoch + 1e-3) / ramp;
  const progress = Math.min(1, (epoch - ramp) / Math.max(1e-9, epochs - ramp));
  return FACTORS[schedule]!({ ...point, progress });
}
