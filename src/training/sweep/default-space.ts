/** What is tuned where no space is given: around the network's recipe. */
import { DEFAULTS } from "../options.ts";
import type { Choice, Params, Space } from "./space.ts";
import { type SpaceFile, spaceOf, type TunedModel } from "./space-file.ts";

/**
 * Rate, optimizer and its own settings, batch, augmentation, smoothing. The rate spans a factor of
 * 300, since SGD wants it larger than Adam does.
 */
export function defaultSpace(model: TunedModel, isHeadAlone = false): Space {
  return spaceOf(defaultSpaceFile(model, isHeadAlone), model);
}

/** Of a head alone on frozen features. SGD wants larger rates than Adam does. */
export const HEAD_SPACE: SpaceFile = {
  headLr: { low: 1e-4, high: 1e-1, log: true },
  headOptimizer: ["adamw", "sgd"],
  headMomentum: { low: 0.5, high: 0.98, when: { headOptimizer: "sgd" } },
  headWeightDecay: { low: 1e-4, high: 1, log: true },
  headDropout: { low: 0, high: 0.8 },
  headBatch: [16, 32, 64, 128, 256],
  headSchedule: ["constant", "cosine"],
  headAverageDecay: [0, 0.95, 0.99],
  labelSmoothing: { low: 0, high: 0.3 },
  balance: ["none", "weights"],
  featurePasses: [0, 1, 2],
};

/** The same as one would write it to space.json. */
export function defaultSpaceFile(
  { recipe, defaults = {} }: TunedModel,
  isHeadAlone = false,
): SpaceFile {
  const { learningRate, batch, averageDecay = 0 } = recipe;
  if (defaults.headEpochs !== undefined && isHeadAlone) return HEAD_SPACE;
  // A pretrained backbone: its head, and how much of it moves how far.
  if (defaults.headEpochs !== undefined)
    return {
      headLr: { low: 1e-4, high: 3e-2, log: true },
      featurePasses: [0, 1, 2],
      unfreeze: { low: 0, high: 6, integer: true },
      layerDecay: { low: 0.5, high: 1 },
      lr: { low: learningRate / 10, high: learningRate * 10, log: true },
      weightDecay: { low: 1e-5, high: 0.3, log: true },
      augmentation: ["none", "light", "strong"],
      labelSmoothing: { low: 0, high: 0.2 },
    };
  return {
    lr: { low: learningRate / 10, high: learningRate * 30, log: true },
    optimizer: ["adamw", "sgd"],
    momentum: { low: 0.8, high: 0.98, when: { optimizer: "sgd" } },
    weightDecay: { low: 1e-5, high: 0.3, log: true },
    batch: [...new Set([Math.max(4, batch / 2), batch, batch * 2])],
    augmentation: ["none", "light", "strong"],
    labelSmoothing: { low: 0, high: 0.2 },
    averageDecay: [...new Set([0, 0.98, averageDecay])],
  };
}

/** The recipe as a configuration of the space; undefined where it lies outside. */
export function recipeParams(
  { dimensions }: Space,
  { recipe, defaults }: TunedModel,
): Params | undefined {
  const { learningRate, ...rest } = recipe;
  const known: Readonly<Record<string, unknown>> = {
    ...DEFAULTS,
    ...defaults,
    ...rest,
    lr: learningRate,
  };
  const params: Record<string, Params[string]> = {};
  for (const dimension of dimensions) {
    const { name, when } = dimension;
    if (when && !(when.name in params && when.values.includes(params[when.name]!))) continue;
    const value = known[name] as Choice | undefined;
    if (value === undefined) return undefined;
    const isInside =
      dimension.kind === "choice"
        ? dimension.choices.includes(value)
        : typeof value === "number" && value >= dimension.low && value <= dimension.high;
    if (!isInside) return undefined;
    params[name] = value;
  }
  return params;
}
