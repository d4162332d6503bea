/** space.json: its form, and errors that name the dimension and the field. */
import { readFileSync } from "node:fs";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { HilumError, nearest } from "../../errors.ts";
import { SettingsSchema, settingsOf, type TrainOptions } from "../options.ts";
import type { ChosenModel } from "../transfer/choose.ts";
import type { Choice, Condition, Dimension, Space } from "./space.ts";

const ChoiceSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
/** The option that has to have the value, or one of the values. */
const WhenSchema = Type.Record(
  Type.String(),
  Type.Union([ChoiceSchema, Type.Array(ChoiceSchema, { minItems: 1 })]),
  { minProperties: 1, maxProperties: 1 },
);
const NumberSchema = Type.Object(
  {
    low: Type.Number(),
    high: Type.Number(),
    log: Type.Optional(Type.Boolean()),
    integer: Type.Optional(Type.Boolean()),
    step: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    when: Type.Optional(WhenSchema),
  },
  { additionalProperties: false },
);
const ChoicesSchema = Type.Object(
  {
    choices: Type.Array(ChoiceSchema, { minItems: 1 }),
    when: Type.Optional(WhenSchema),
  },
  { additionalProperties: false },
);

/** A number's range, a list of choices, or one value that all trials have; by training option. */
export const SpaceSchema = Type.Record(
  Type.String(),
  Type.Union([
    ChoiceSchema,
    Type.Array(ChoiceSchema, { minItems: 1 }),
    NumberSchema,
    ChoicesSchema,
  ]),
);
export type SpaceFile = Static<typeof SpaceSchema>;

/** Of what is tuned: a network's or a backbone's name and recipe. */
export type TunedModel = Pick<ChosenModel, "name" | "recipe"> &
  Partial<Pick<ChosenModel, "defaults">>;

/** What makes trials comparable is not to be chosen among. */
const NOT_TUNED = [
  "model",
  "seed",
  "metric",
  "folds",
  "fold",
  "foldBy",
  "valFraction",
  "threads",
  "allowLeaks",
  "patientPattern",
  "labelPattern",
  "positive",
  "freeze",
  "window",
  "pretrained",
  "weightsSha256",
  "featureLayer",
  "preprocessing",
];
const TUNABLE = Object.keys(SettingsSchema.properties).filter((name) => !NOT_TUNED.includes(name));

/** The space in a file. Throws `file-not-found` and `space-invalid`. */
export function readSpace(path: string, model: TunedModel): Space {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new HilumError("file-not-found", `There is no space ${path}.`, { path }, cause);
  }
  try {
    return spaceOf(JSON.parse(text), model);
  } catch (cause) {
    if (cause instanceof HilumError)
      throw new HilumError(cause.code, `${path}: ${cause.message}`, { ...cause.details, path });
    const reason = (cause as Error).message;
    throw new HilumError("space-invalid", `${path} is no JSON: ${reason}.`, { path }, cause);
  }
}

/**
 * A space from its JSON: dimensions checked against the options of training, conditions after what
 * they hang on. Throws `space-invalid`.
 */
export function spaceOf(json: unknown, model: TunedModel): Space {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    refuse(
      "",
      'A space is an object of training options, such as { "lr": { "low": 1e-4, "high": 1e-1, "log": true } }',
    );
  const dimensions: Dimension[] = [];
  const fixed: Record<string, Choice> = {};
  for (const [name, given] of Object.entries(json)) {
    refuseName(name);
    if (typeof given !== "object" || given === null) fixed[name] = given as Choice;
    else dimensions.push(dimensionOf(name, given));
  }
  if (dimensions.length === 0) refuse("", "A space has to leave something to choose");
  for (const dimension of dimensions) refuseCondition(dimension, dimensions);
  const space = { dimensions: inOrder(dimensions), fixed };
  refuseValues(space, model);
  return space;
}

function dimensionOf(name: string, given: object): Dimension {
  const whole = Array.isArray(given) ? { choices: given } : given;
  if ("choices" in whole) {
    if (!Value.Check(ChoicesSchema, whole)) refuseForm(name, ChoicesSchema, whole);
    const { choices, when } = whole;
    if (new Set(choices).size < choices.length) refuse(name, "names a choice twice");
    return { name, kind: "choice", choices, when: conditionOf(when) };
  }
  if (!Value.Check(NumberSchema, whole)) refuseForm(name, NumberSchema, whole);
  const { low, high, log = false, integer = false, step = integer ? 1 : null, when } = whole;
  if (low >= high) refuse(name, `has low ${low} and high ${high}; low has to be less`);
  if (log && low - (step ?? 0) / 2 <= 0)
    refuse(name, `is logarithmic, so low has to be above ${(step ?? 0) / 2}, and it is ${low}`);
  if (integer && ![low, high, step!].every(Number.isInteger))
    refuse(name, "is an integer, so low, high and step have to be whole numbers");
  if (log && step !== null && step !== 1) refuse(name, "cannot be logarithmic and have a step");
  if (step !== null && step > high - low) refuse(name, `has step ${step}, longer than its range`);
  const steps = step === null ? 0 : Math.floor((high - low) / step + 1e-9);
  const last = step === null ? high : Number((low + steps * step).toPrecision(12));
  return { name, kind: "number", low, high: last, isLog: log, step, when: conditionOf(when) };
}

function conditionOf(when: Static<typeof WhenSchema> | undefined): Condition | null {
  const [first] = Object.entries(when ?? {});
  return first ? { name: first[0], values: [first[1]].flat() as Choice[] } : null;
}

function refuseName(name: string): void {
  if (TUNABLE.includes(name)) return;
  const suggestion = nearest(name, TUNABLE);
  const problem = NOT_TUNED.includes(name)
    ? "is the same for all trials: give it as an option of tune"
    : `is no option of training.${suggestion ? ` Did you mean "${suggestion}"?` : ""} There are: ${TUNABLE.join(", ")}`;
  refuse(name, problem);
}

function refuseCondition({ name, when }: Dimension, dimensions: readonly Dimension[]): void {
  if (when === null) return;
  const parent = dimensions.find((dimension) => dimension.name === when.name);
  if (parent?.kind !== "choice")
    refuse(name, `depends on "${when.name}", which is no list of choices in this space`);
  const stranger = when.values.find((value) => !parent.choices.includes(value));
  if (stranger !== undefined)
    refuse(
      name,
      `depends on ${when.name} = ${JSON.stringify(stranger)}, which is none of its choices`,
    );
}

/** Parents before children, otherwise as they were named. */
function inOrder(dimensions: readonly Dimension[]): Dimension[] {
  const rest = [...dimensions];
  const done: Dimension[] = [];
  while (rest.length > 0) {
    const next = rest.findIndex(
      ({ when }) => when === null || done.some(({ name }) => name === when.name),
    );
    if (next < 0) refuse(rest[0]!.name, "depends on itself through its conditions");
    done.push(...rest.splice(next, 1));
  }
  return done;
}

/** Every end and every choice has to be a value that training takes. */
function refuseValues(
  { dimensions, fixed }: Space,
  { name: model, recipe, defaults }: TunedModel,
): void {
  const valuesOf = (dimension: Dimension) =>
    dimension.kind === "choice" ? dimension.choices : [dimension.low, dimension.high];
  const all = [
    ...Object.entries(fixed).map(([name, value]) => [name, value] as const),
    ...dimensions.flatMap((dimension) =>
      valuesOf(dimension).map((value) => [dimension.name, value] as const),
    ),
  ];
  for (const [name, value] of all)
    try {
      const options = { model, [name]: value } as TrainOptions;
      settingsOf(options, recipe, { ...defaults, metric: "auroc", threads: 1 });
    } catch (cause) {
      refuse(name, `cannot be ${JSON.stringify(value)}. ${(cause as Error).message}`);
    }
}

function refuseForm(
  name: string,
  schema: typeof NumberSchema | typeof ChoicesSchema,
  value: object,
): never {
  const known = Object.keys(schema.properties);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    refuse(name, `has a field "${unknown}"; there are: ${known.join(", ")}`);
  const [error] = Value.Errors(schema, value);
  const field = error?.instancePath.slice(1).replaceAll("/", ".");
  refuse(
    name,
    field
      ? `has a field ${field} that ${error!.message}`
      : `${error?.message}: give low and high, or choices`,
  );
}

function refuse(name: string, problem: string): never {
  throw new HilumError("space-invalid", name ? `"${name}" ${problem}.` : `${problem}.`, {
    dimension: name || undefined,
  });
}
