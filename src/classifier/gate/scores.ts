/**
 * What the gate measures of an image, as a table: each score fires above or below its limit and then
 * refuses the image, corrects it, or warns of it. The limits are in the model's metadata.
 */
import { HilumError } from "../../errors.ts";

/** What a score that fires does to a reading. */
export type GateRole = "refuse" | "correct" | "warn";

/** Codes of `reasons`, `corrections` and `warnings`, and what people are told. */
export const GATE_CODES = {
  "too-small": "too few pixels to judge by",
  "no-contrast": "flat: hardly any difference between its greys",
  "under-exposed": "under-exposed: too dark, or black where the film should show something",
  "over-exposed": "over-exposed: too bright, or white where the film should show something",
  "not-chest-film": "does not look like a chest X-ray",
  turned: "turned: not upright",
  cropped: "only a part of a chest: cropped, or too long and narrow",
  inverted: "greys were inverted, and are read the right way round",
  "outside-population":
    "unlike the films that the model was trained on (young children's): trust it less",
} as const;
export type GateCode = keyof typeof GATE_CODES;

/** What the codes mean, as one line. */
export const gateWords = (codes: readonly GateCode[]): string =>
  codes.map((code) => GATE_CODES[code]).join("; ");

export interface GateScore {
  /** What is measured; the column of the output `gate` by its place in the table. */
  readonly name: string;
  readonly role: GateRole;
  readonly code: GateCode;
  readonly fires: "above" | "below";
  readonly summary: string;
}

/** In the order of the columns of the output `gate`; reasons are said in this order. */
export const GATE_SCORES = [
  {
    name: "side",
    role: "refuse",
    code: "too-small",
    fires: "below",
    summary: "pixels of the shorter side",
  },
  {
    name: "contrast",
    role: "refuse",
    code: "no-contrast",
    fires: "below",
    summary: "standard deviation of the greys (0 to 255)",
  },
  {
    name: "chest",
    role: "refuse",
    code: "not-chest-film",
    fires: "below",
    summary: "log odds of a chest X-ray against anything else",
  },
  {
    name: "brightest",
    role: "refuse",
    code: "under-exposed",
    fires: "below",
    summary: "mean grey of the brightest of 64 areas",
  },
  {
    name: "black",
    role: "refuse",
    code: "under-exposed",
    fires: "above",
    summary: "share of the pixels that are black (below 8)",
  },
  {
    name: "darkest",
    role: "refuse",
    code: "over-exposed",
    fires: "above",
    summary: "mean grey of the darkest of 64 areas",
  },
  {
    name: "white",
    role: "refuse",
    code: "over-exposed",
    fires: "above",
    summary: "share of the pixels that are white (above 247)",
  },
  {
    name: "upright",
    role: "refuse",
    code: "turned",
    fires: "below",
    summary: "log odds of an upright film against one turned by 90, 180 or 270 degrees",
  },
  {
    name: "whole",
    role: "refuse",
    code: "cropped",
    fires: "below",
    summary: "log odds of a whole film against a part of one",
  },
  {
    name: "aspect",
    role: "refuse",
    code: "cropped",
    fires: "above",
    summary: "the longer side over the shorter one",
  },
  {
    name: "inversion",
    role: "correct",
    code: "inverted",
    fires: "above",
    summary: "how much more the negative looks like a film than the image itself, in log odds",
  },
  {
    name: "distance",
    role: "warn",
    code: "outside-population",
    fires: "above",
    summary: "distance from the training films, in standard deviations (root mean square)",
  },
] as const satisfies readonly GateScore[];
export type GateScoreName = (typeof GATE_SCORES)[number]["name"];

/** A limit for each score, by its name. */
export type GateLimits = Readonly<Record<GateScoreName, number>>;

/** The metadata entry `hilum.gate`. */
export interface GateMetadata {
  /** In the order of the columns of the output `gate`. */
  readonly scores: readonly (GateScore & { readonly limit: number })[];
  /** How it was made: plain facts. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** What is said of an image before anything about disease. */
export interface Verdict {
  /** Whether it may be read at all. */
  readonly assessed: boolean;
  readonly reasons: readonly GateCode[];
  readonly corrections: readonly GateCode[];
  readonly warnings: readonly GateCode[];
}

/** Of a classifier without a gate: everything is read. */
export const NO_GATE: Verdict = { assessed: true, reasons: [], corrections: [], warnings: [] };

/** What the scores of one image say, each code once, in the order of the table. */
export function verdictOf(
  values: ArrayLike<number>,
  { scores }: Pick<GateMetadata, "scores">,
): Verdict {
  const fired = scores.filter(({ fires, limit }, index) => {
    const value = values[index]!;
    // What is no number fires: nothing is known of such an image.
    return fires === "above" ? !(value <= limit) : !(value >= limit);
  });
  const codesOf = (role: GateRole) => [
    ...new Set(fired.filter((score) => score.role === role).map(({ code }) => code)),
  ];
  const reasons = codesOf("refuse");
  const assessed = reasons.length === 0;
  return {
    assessed,
    reasons,
    corrections: codesOf("correct"),
    // Of what is no chest film it says nothing that no training film was like it.
    warnings: assessed ? codesOf("warn") : [],
  };
}

const METADATA_KEY = "hilum.gate";

export function writeGateMetadata(gate: GateMetadata): readonly [string, string] {
  return [METADATA_KEY, JSON.stringify(gate)];
}

/** The gate of a model; undefined where it has none. Throws `not-a-classifier` where it is damaged. */
export function readGateMetadata(
  metadata: ReadonlyMap<string, string>,
  name: string,
): GateMetadata | undefined {
  const text = metadata.get(METADATA_KEY);
  if (text === undefined) return undefined;
  try {
    const gate = JSON.parse(text) as GateMetadata;
    if (gate.scores.every(({ limit }) => Number.isFinite(limit))) return gate;
  } catch {}
  throw new HilumError(
    "not-a-classifier",
    `${name}: its metadata "${METADATA_KEY}" are damaged. Export or train the model again.`,
    { file: name, key: METADATA_KEY },
  );
}
