/** Training options: what may be asked for, what is taken where nothing is said. */
import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { AUGMENTATIONS } from "../datasets/index.ts";
import { HilumError, nearest } from "../errors.ts";
import { NORMALIZATIONS } from "../images/index.ts";
import type { Recipe } from "../models/index.ts";
import { SCHEDULES } from "./schedule.ts";
import { PREPROCESSINGS } from "./transfer/preprocessing.ts";

const oneOf = <const T extends readonly string[]>(names: T) =>
  Type.Unsafe<T[number]>(Type.Enum([...names]));
const orNull = <T extends TSchema>(schema: T) => Type.Union([Type.Null(), schema]);

/** Every option that makes a run what it is. Two runs with equal settings have equal weights. */
export const SettingsSchema = Type.Object(
  {
    model: Type.String({ minLength: 1 }),
    /** Factors on the network's channels and blocks. */
    width: Type.Number({ exclusiveMinimum: 0, maximum: 16 }),
    depth: Type.Number({ exclusiveMinimum: 0, maximum: 16 }),
    /** Published weights, by the name of what they were trained on. */
    pretrained: orNull(oneOf(["imagenet"])),
    /** SHA-256 of the file that the backbone's weights come from: where it lies is not part of a run. */
    weightsSha256: orNull(Type.String({ pattern: "^[0-9a-f]{64}$" })),
    /** Node or value of an ONNX file that holds the features. */
    featureLayer: orNull(Type.String({ minLength: 1 })),
    /** How the publisher of an ONNX file prepares pixels. */
    preprocessing: orNull(oneOf(PREPROCESSINGS)),
    /** Side of the square input in pixels. */
    size: Type.Integer({ minimum: 16, maximum: 1024 }),
    fit: oneOf(["squash", "pad"]),
    normalization: oneOf(NORMALIZATIONS),
    window: orNull(
      Type.Object({ center: Type.Number(), width: Type.Number({ exclusiveMinimum: 0 }) }),
    ),
    /** With a pretrained backbone, of fine-tuning; 0 trains its head alone. */
    epochs: Type.Integer({ minimum: 0, maximum: 100_000 }),
    /** Epochs, at most, of the head on the frozen backbone's features; 0 leaves that stage out. */
    headEpochs: Type.Integer({ minimum: 0, maximum: 100_000 }),
    headLr: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    headSchedule: oneOf(SCHEDULES),
    headOptimizer: oneOf(["sgd", "adamw"]),
    headMomentum: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    headWeightDecay: Type.Number({ minimum: 0, maximum: 10 }),
    /** Features of a batch. */
    headBatch: Type.Integer({ minimum: 1, maximum: 4096 }),
    /** Of the moving average of the head's weights on frozen features; 0 keeps none. */
    headAverageDecay: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    /** Share of features that are dropped before the head, on frozen ones and in fine-tuning. */
    headDropout: Type.Number({ minimum: 0, maximum: 0.9 }),
    /** Augmented passes over the training films whose features the head sees beside the plain ones. */
    featurePasses: Type.Integer({ minimum: 0, maximum: 1000 }),
    /** Blocks of the backbone, from the top, that fine-tuning trains. */
    unfreeze: Type.Union([Type.Integer({ minimum: 0, maximum: 100_000 }), Type.Literal("all")]),
    /** Factor on the learning rate from each block to the one below. */
    layerDecay: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    batch: Type.Integer({ minimum: 1, maximum: 4096 }),
    /** Batches whose gradients are summed for one step. */
    microBatches: Type.Integer({ minimum: 1, maximum: 1024 }),
    lr: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    optimizer: oneOf(["sgd", "adam", "adamw"]),
    momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    weightDecay: Type.Number({ minimum: 0, maximum: 10 }),
    schedule: oneOf(SCHEDULES),
    /** Epochs; at most half of all. */
    warmup: Type.Number({ minimum: 0, maximum: 1000 }),
    clipNorm: orNull(Type.Number({ exclusiveMinimum: 0 })),
    /** Of the moving average of the weights; 0 keeps none. */
    averageDecay: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    loss: oneOf(["cross-entropy", "focal"]),
    labelSmoothing: Type.Number({ minimum: 0, maximum: 0.5 }),
    balance: oneOf(["none", "weights", "sampling"]),
    augmentation: oneOf(Object.keys(AUGMENTATIONS) as (keyof typeof AUGMENTATIONS)[]),
    mixup: Type.Number({ minimum: 0, maximum: 1 }),
    /** Regular expressions on names of parameters. */
    freeze: Type.Array(Type.String()),
    metric: Type.String({ minLength: 1 }),
    /** Epochs without improvement after which training stops; 0 for never. */
    patience: Type.Integer({ minimum: 0, maximum: 100_000 }),
    seed: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    valFraction: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
    folds: orNull(Type.Integer({ minimum: 2, maximum: 100 })),
    /** From 1. */
    fold: orNull(Type.Integer({ minimum: 1, maximum: 100 })),
    /** A column of the manifest whose values the folds hold out whole. */
    foldBy: orNull(Type.String({ minLength: 1 })),
    allowLeaks: Type.Boolean(),
    patientPattern: orNull(Type.String()),
    labelPattern: orNull(Type.String()),
    positive: orNull(Type.String()),
    /** Sums are grouped by thread: another number of threads gives slightly other weights. */
    threads: Type.Integer({ minimum: 1, maximum: 1024 }),
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof SettingsSchema>;

/** Where neither an option nor the network's recipe says otherwise. */
export const DEFAULTS = {
  width: 1,
  depth: 1,
  pretrained: null,
  weightsSha256: null,
  featureLayer: null,
  preprocessing: null,
  headEpochs: 0,
  // The head's own: tried on 4,430 films' features of EfficientNet-Lite0; the log
  // loss of 786 other films fell from 0.088 to 0.058 against 1e-3, decay 0.05 and no average.
  headLr: 4e-3,
  headSchedule: "constant",
  headOptimizer: "adamw",
  headMomentum: 0.9,
  headWeightDecay: 0.5,
  headBatch: 64,
  headAverageDecay: 0.95,
  headDropout: 0.2,
  featurePasses: 0,
  unfreeze: "all",
  layerDecay: 1,
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
  foldBy: null,
  allowLeaks: false,
  patientPattern: null,
  labelPattern: null,
  positive: null,
} satisfies Partial<Settings>;

/** What a caller may give; the network's recipe and the defaults fill the rest. */
export type TrainOptions = { readonly [Key in keyof Settings]?: Settings[Key] | undefined } & {
  /** The file that the backbone's weights come from; a run remembers its digest. */
  readonly weights?: string | undefined;
  /** A file with labels, in the folder of films or elsewhere; a run keeps what it says. */
  readonly manifest?: string | undefined;
};

/** Options that say where something lies, which is not part of a run. */
const PATHS: ReadonlySet<string> = new Set(["weights", "manifest"]);

/** Defaults that hang on where and on what training runs, on its model, or on the run that is resumed. */
export type Circumstances = Pick<Settings, "metric" | "threads"> & Partial<Settings>;

/**
 * Whole settings: options over recipe over defaults. Throws `invalid-option` naming the first option
 * that is unknown or has a value that it cannot take.
 */
export function settingsOf(
  options: TrainOptions,
  { learningRate, ...recipe }: Recipe,
  circumstances: Circumstances,
): Settings {
  const given = Object.fromEntries(
    Object.entries(options).filter(([key, value]) => value !== undefined && !PATHS.has(key)),
  );
  // Adam's name promises that nothing decays; the recipe's decay was chosen for another optimizer.
  const undecayed = given.optimizer === "adam" ? { weightDecay: 0 } : {};
  const settings = {
    ...DEFAULTS,
    ...circumstances,
    ...recipe,
    ...undecayed,
    lr: learningRate,
    ...given,
  };
  refuseUnknown(settings);
  const [error] = Value.Errors(SettingsSchema, settings);
  if (error) refuse(error.instancePath.split("/")[1] ?? "options", settings);
  const sound = settings as unknown as Settings;
  refuseFold(sound);
  if (sound.epochs === 0 && sound.headEpochs === 0)
    refuse("epochs", sound, "a whole number from 1, as no head is trained before");
  return sound;
}

function refuseUnknown(settings: object): void {
  const known = Object.keys(SettingsSchema.properties);
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const suggestion = nearest(unknown, known);
  throw new HilumError(
    "invalid-option",
    `There is no option "${unknown}".${suggestion ? ` Did you mean "${suggestion}"?` : ""}`,
    { option: unknown, suggestion, allowed: known },
  );
}

function refuse(
  option: string,
  settings: Readonly<Record<string, unknown>>,
  allowed = allowedFor(option),
): never {
  const value = settings[option];
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new HilumError("invalid-option", `Option ${option} is ${shown}; it has to be ${allowed}.`, {
    option,
    value,
    allowed,
  });
}

function allowedFor(option: string): string {
  const schemas = SettingsSchema.properties as Readonly<Record<string, TSchema>>;
  return allowedBy(schemas[option] ?? {});
}

interface Range {
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** What a schema takes, in words. */
function allowedBy(schema: TSchema): string {
  const {
    type,
    anyOf,
    enum: names,
    const: only,
  } = schema as { type?: string; anyOf?: TSchema[]; enum?: string[]; const?: string };
  if (anyOf) {
    const [first, ...rest] = anyOf.map(allowedBy);
    return first === "null" ? `${rest.join(" or ")}, or null` : [first, ...rest].join(" or ");
  }
  if (only !== undefined) return JSON.stringify(only);
  if (names) return `one of ${names.join(", ")}`;
  if (type === "integer") return `a whole number${rangeOf(schema as Range)}`;
  if (type === "number") return `a number${rangeOf(schema as Range)}`;
  if (type === "boolean") return "true or false";
  if (type === "array") return "a list of texts";
  if (type === "null") return "null";
  return type === "object" ? "{ center, width } with a width above 0" : "a text";
}

function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Range): string {
  const low = minimum !== undefined ? ` from ${minimum}` : ` above ${exclusiveMinimum}`;
  const high = maximum !== undefined ? ` to ${maximum}` : ` and below ${exclusiveMaximum}`;
  const isOpen = maximum === undefined && exclusiveMaximum === undefined;
  return isOpen ? low : low + high;
}

function refuseFold({ folds, fold, foldBy }: Settings): void {
  if (foldBy !== null && folds === null)
    throw new HilumError(
      "invalid-option",
      `Option foldBy is ${JSON.stringify(foldBy)}, but folds is not given. Say of how many: as many as the column has values, or fewer.`,
      { option: "foldBy", value: foldBy, folds },
    );
  if (fold === null || (folds !== null && fold <= folds)) return;
  throw new HilumError(
    "invalid-option",
    folds === null
      ? `Option fold is ${fold}, but folds is not given. Say of how many: folds 5, for example.`
      : `Option fold is ${fold}; it has to be a whole number from 1 to ${folds}, the number of folds.`,
    { option: "fold", value: fold, folds },
  );
}
