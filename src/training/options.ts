/** Training options: what may be asked for, what is taken where nothing is said. */
import { availableParallelism } from "node:os";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { AUGMENTATIONS } from "../datasets/index.ts";
import { HilumError, nearest } from "../errors.ts";
import { SELECTION_METRICS } from "../evaluation/index.ts";
import { NORMALIZATIONS } from "../images/index.ts";
import type { Recipe } from "../models/index.ts";

const oneOf = <const T extends readonly string[]>(names: T) => Type.Enum([...names] as T);

/** Every option that makes a run what it is. Two runs with equal settings have equal weights. */
export const SettingsSchema = Type.Object(
  {
    model: Type.String({ minLength: 1 }),
    width: Type.Number({ exclusiveMinimum: 0, maximum: 16 }),
    depth: Type.Number({ exclusiveMinimum: 0, maximum: 16 }),
    size: Type.Integer({ minimum: 16, maximum: 1024 }),
    fit: oneOf(["squash", "pad"]),
    normalization: oneOf(NORMALIZATIONS),
    window: Type.Union([
      Type.Null(),
      Type.Object({ center: Type.Number(), width: Type.Number({ exclusiveMinimum: 0 }) }),
    ]),
    epochs: Type.Integer({ minimum: 1, maximum: 100_000 }),
    batch: Type.Integer({ minimum: 1, maximum: 4096 }),
    microBatches: Type.Integer({ minimum: 1, maximum: 1024 }),
    lr: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    optimizer: oneOf(["sgd", "adam", "adamw"]),
    momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    weightDecay: Type.Number({ minimum: 0, maximum: 10 }),
    schedule: oneOf(["constant", "step", "cosine", "onecycle", "plateau"]),
    warmup: Type.Number({ minimum: 0, maximum: 1000 }),
    clipNorm: Type.Union([Type.Null(), Type.Number({ exclusiveMinimum: 0 })]),
    averageDecay: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    loss: oneOf(["cross-entropy", "focal"]),
    labelSmoothing: Type.Number({ minimum: 0, maximum: 0.5 }),
    balance: oneOf(["none", "weights", "sampling"]),
    augmentation: oneOf(Object.keys(AUGMENTATIONS) as (keyof typeof AUGMENTATIONS)[]),
    mixup: Type.Number({ minimum: 0, maximum: 1 }),
    freeze: Type.Array(Type.String()),
    metric: oneOf(Object.keys(SELECTION_METRICS)),
    patience: Type.Integer({ minimum: 0, maximum: 100_000 }),
    seed: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    valFraction: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
    folds: Type.Union([Type.Null(), Type.Integer({ minimum: 2, maximum: 100 })]),
    fold: Type.Union([Type.Null(), Type.Integer({ minimum: 1, maximum: 100 })]),
    allowLeaks: Type.Boolean(),
    patientPattern: Type.Union([Type.Null(), Type.String()]),
    labelPattern: Type.Union([Type.Null(), Type.String()]),
    positive: Type.Union([Type.Null(), Type.String()]),
    /** Sums are grouped by thread: another number of threads gives slightly other weights. */
    threads: Type.Integer({ minimum: 1, maximum: 1024 }),
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof SettingsSchema>;

const DEFAULTS = {
  width: 1,
  depth: 1,
  fit: "squash",
  normalization: "standardize",
  window: null,
  microBatches: 1,
  momentum: 0.9,
  schedule: "cosine",
  warmup: 1,
  clipNorm: 5,
  averageDecay: 0,
  loss: "cross-entropy",
  labelSmoothing: 0,
  balance: "none",
  mixup: 0,
  freeze: [],
  patience: 0,
  seed: 1,
  valFraction: 0.15,
  folds: null,
  fold: null,
  allowLeaks: false,
  patientPattern: null,
  labelPattern: null,
  positive: null,
} satisfies Partial<Settings>;

/** What a caller may give; the network's recipe and the defaults fill the rest. */
export type TrainOptions = { readonly [Key in keyof Settings]?: Settings[Key] | undefined };

/**
 * Whole settings: options over recipe over defaults. Throws `invalid-option` naming the first option
 * that is unknown or has a value that it cannot take.
 */
export function settingsOf(options: TrainOptions, recipe: Recipe, metric: string): Settings {
  const { learningRate, ...rest } = recipe;
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const settings = {
    ...DEFAULTS,
    threads: availableParallelism(),
    metric,
    ...rest,
    lr: learningRate,
    ...given,
  };
  const [error] = Value.Errors(SettingsSchema, settings);
  if (!error) return settings as unknown as Settings;
  throw optionError(error, settings);
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function optionError(error: SchemaError, settings: Readonly<Record<string, unknown>>): HilumError {
  const known = Object.keys(SettingsSchema.properties);
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const suggestion = nearest(unknown, known);
    return new HilumError(
      "invalid-option",
      `There is no option "${unknown}".${suggestion ? ` Did you mean "${suggestion}"?` : ""}`,
      { option: unknown, suggestion },
    );
  }
  const option = error.instancePath.split("/")[1] ?? "options";
  const value = settings[option];
  const allowed = (error.params as { allowedValues?: unknown[] }).allowedValues;
  const rule = allowed ? `must be one of ${allowed.join(", ")}` : error.message;
  return new HilumError(
    "invalid-option",
    `Option ${option} is ${JSON.stringify(value)}: it ${rule}.`,
    { option, value, ...(allowed ? { allowed } : {}) },
  );
}
