/**
 * The gate as a graph of its own. A film and its negative go through the frozen blocks side by side;
 * the one that looks more like a film is kept, and linear scores of its features are the gate's.
 */
import { normalizeImages } from "../../images/index.portable.ts";
import { embedGraph } from "../../models/index.ts";
import {
  float32,
  type Graph,
  graphBuilder,
  type Model,
  modelOf,
  operators as op,
  type Value,
} from "../../onnx/index.ts";
import { GATE_SIZE } from "./backbone.ts";
import {
  GATE_SCORES,
  type GateLimits,
  type GateMetadata,
  type GateScoreName,
  writeGateMetadata,
} from "./scores.ts";

/** A linear score of the features: log odds. */
export interface LinearScore {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Where the training films lie among all features: `whitening` is `[D, K]`, row by row. */
export interface Population {
  readonly mean: Float32Array;
  readonly whitening: Float32Array;
  readonly components: number;
}

export interface GateParts {
  readonly backbone: Graph;
  readonly chest: LinearScore;
  readonly upright: LinearScore;
  readonly whole: LinearScore;
  /** Of a film against its own negative. */
  readonly positive: LinearScore;
  readonly population: Population;
  readonly limits: GateLimits;
  readonly provenance: GateMetadata["provenance"];
}

/** Scores that `withGate` takes from the image itself, whose size the gate's graph does not see. */
export const SIZE_SCORES = ["side", "aspect"] as const;
export type NetworkScoreName = Exclude<GateScoreName, (typeof SIZE_SCORES)[number]>;

const BLACK = 8;
const WHITE = 247;
const AREAS = 8;

/**
 * The gate's model: `films` float32 `[N, 1, H, W]` of grey levels 0 to 255, squashed to a square of
 * any size, to `isInverted` bool `[N, 1]` and one output `[N, 1]` for each score but those of the size.
 */
export function gateModel(parts: GateParts): Model {
  const builder = graphBuilder();
  const films = builder.input("films", "float32", ["N", 1, "H", "W"]);
  const small = smallFilms(films);
  const normal = normalizeImages(small, "standardize");
  const maps = embedGraph(builder, parts.backbone, { x: op.concat([normal, op.neg(normal)], 0) });
  const features = gateFeatures(Object.values(maps));
  const width = Number(features.shape[1]);
  const pairs = op.reshape(features, [2, -1, width]);
  const [film, negative] = [0, 1].map((index) =>
    op.squeeze(op.slice(pairs, [{ axis: 0, start: index, end: index + 1 }]), [0]),
  ) as [Value, Value];
  const inversion = op.sub(linear(negative, parts.positive), linear(film, parts.positive));
  const isInverted = op.greater(inversion, builder.scalar(parts.limits.inversion));
  const kept = op.where(isInverted, negative, film);
  const scores: Readonly<Record<NetworkScoreName, Value>> = {
    ...exposure(corrected(small, isInverted)),
    chest: linear(kept, parts.chest),
    upright: linear(kept, parts.upright),
    whole: linear(kept, parts.whole),
    inversion,
    distance: distance(kept, parts.population),
  };
  builder.output(isInverted, "isInverted");
  for (const [name, value] of Object.entries(scores)) builder.output(value, name);
  const { limits, provenance } = parts;
  const metadata: GateMetadata = {
    scores: GATE_SCORES.map((score) => ({ ...score, limit: limits[score.name] })),
    provenance,
  };
  return modelOf(builder.build("gate"), { metadata: new Map([writeGateMetadata(metadata)]) });
}

/** Films as the gate looks at them, `[N, 1, 128, 128]`, 0 to 255. */
export function smallFilms(films: Value): Value {
  return op.resizeToSizes(films, [GATE_SIZE, GATE_SIZE], {
    mode: "linear",
    coordinates: "half_pixel",
    isAntialiased: true,
    axes: [2, 3],
  });
}

/** Of a film whose greys were inverted, the film: 255 - x. */
export function corrected(films: Value, isInverted: Value): Value {
  const { builder } = films;
  const flags = op.reshape(isInverted, [-1, 1, 1, 1]);
  return op.where(flags, op.sub(builder.scalar(255), films), films);
}

/** Features `[N, 464]` of the maps of three depths: each channel's mean, then each one's deviation. */
export function gateFeatures(maps: readonly Value[]): Value {
  const { builder } = maps[0]!;
  const axes = [2, 3];
  const means = maps.map((map) => op.reduceMean(map, { axes }));
  const deviations = maps.map((map, index) => {
    const centred = op.sub(map, means[index]!);
    const variance = op.reduceMean(op.mul(centred, centred), { axes });
    return op.sqrt(op.add(variance, builder.scalar(1e-6)));
  });
  const [first, ...rest] = [...means, ...deviations].map((value) => op.flatten(value));
  return op.concat([first!, ...rest], 1);
}

function linear(features: Value, { weights, bias }: LinearScore): Value {
  const { builder } = features;
  const column = builder.constant(float32([weights.length, 1], weights));
  return op.add(op.matMul(features, column), builder.scalar(bias));
}

/** Root mean square of the whitened differences from the mean: about 1 for a training film. */
function distance(features: Value, { mean, whitening, components }: Population): Value {
  const { builder } = features;
  const used = op.slice(features, [{ axis: 1, start: 0, end: mean.length }]);
  const centred = op.sub(used, builder.constant(float32([1, mean.length], mean)));
  const matrix = builder.constant(float32([mean.length, components], whitening));
  const white = op.matMul(centred, matrix);
  return op.sqrt(op.reduceMean(op.mul(white, white), { axes: [1] }));
}

function exposure(
  small: Value,
): Record<"contrast" | "brightest" | "darkest" | "black" | "white", Value> {
  const { builder } = small;
  const axes = [1, 2, 3];
  const column = (value: Value) => op.reshape(value, [-1, 1]);
  const share = (isSo: Value) => column(op.reduceMean(op.cast(isSo, "float32"), { axes }));
  const centred = op.sub(small, op.reduceMean(small, { axes }));
  const side = GATE_SIZE / AREAS;
  const areas = op.averagePool(small, { kernel: [side, side], strides: [side, side] });
  return {
    contrast: column(op.sqrt(op.reduceMean(op.mul(centred, centred), { axes }))),
    brightest: column(op.reduceMax(areas, { axes })),
    darkest: column(op.reduceMin(areas, { axes })),
    black: share(op.less(small, builder.scalar(BLACK))),
    white: share(op.greater(small, builder.scalar(WHITE))),
  };
}
