/** Who is on a film: patients from file names. */
import { HilumError } from "../errors.ts";

interface KnownName {
  /** Whose files are called so. */
  readonly origin: string;
  readonly pattern: RegExp;
  readonly prefix: string;
}

/**
 * Tried in this order on the path below the data set's root. Kermany's set counts
 * `personN_bacteria` and `personN_virus` as one patient, as well as `IM-N` and `NORMAL2-IM-N`:
 * 808 and 211 numbers have both, and joining cannot leak where splitting might.
 */
const KNOWN_NAMES: readonly KnownName[] = [
  { origin: "CheXpert", pattern: /(?:^|\/)patient(\d+)\//, prefix: "patient" },
  { origin: "MIMIC-CXR", pattern: /(?:^|\/)p(\d{8})\//, prefix: "p" },
  { origin: "Kermany, Kaggle", pattern: /person(\d+)[^/]*$/, prefix: "person" },
  { origin: "Kermany, Kaggle", pattern: /(?:^|[/-])IM-(\d+)-\d+[^/]*$/, prefix: "IM-" },
  {
    origin: "Kermany, Mendeley",
    pattern: /(?:^|\/)(?:BACTERIA|VIRUS|NORMAL)-(\d+)-\d+\.[^/]+$/,
    prefix: "case-",
  },
  { origin: "ChestX-ray14", pattern: /(?:^|\/)(\d{8})_\d{3}\.[^/]+$/, prefix: "nih-" },
];

/** The patient of a film by its path below the root ("/" between folders), if that tells. */
export type PatientOf = (key: string) => string | undefined;

/**
 * How patients are read from names: by the user's pattern (its first group that takes part, or the
 * whole match), tried on the file's name and then on its whole path, else by the known patterns.
 */
export function patientReader(pattern?: string): PatientOf {
  if (pattern === undefined) return knownPatient;
  const expression = compilePattern(pattern, "patientPattern");
  return (key) => firstGroup(expression, fileNameOf(key)) ?? firstGroup(expression, key);
}

function knownPatient(key: string): string | undefined {
  for (const { pattern, prefix } of KNOWN_NAMES) {
    const match = pattern.exec(key);
    if (match) return `${prefix}${Number(match[1])}`;
  }
  return undefined;
}

/** How classes are read from file names; undefined without a pattern or where it does not match. */
export function labelReader(pattern: string | undefined): (key: string) => string | undefined {
  if (pattern === undefined) return () => undefined;
  const expression = compilePattern(pattern, "labelPattern");
  return (key) => firstGroup(expression, fileNameOf(key))?.toUpperCase();
}

const fileNameOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1);

/** A match of nothing names nobody. */
function firstGroup(expression: RegExp, text: string): string | undefined {
  const match = expression.exec(text);
  if (!match) return undefined;
  return (match.slice(1).find((group) => group !== undefined) ?? match[0]) || undefined;
}

const FLAGS = { patientPattern: "--patient-pattern", labelPattern: "--label-pattern" } as const;
const EXAMPLES = { patientPattern: "person(\\d+)", labelPattern: "_(bacteria|virus)_" } as const;

function compilePattern(pattern: string, option: keyof typeof FLAGS): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HilumError(
      "invalid-option",
      `${FLAGS[option]} is not a regular expression: ${reason}. Give one such as '${EXAMPLES[option]}'.`,
      { option, value: pattern },
      cause,
    );
  }
}

/** Throws `invalid-option` where a pattern that the user gave matched nothing: a slip of the hand. */
export function refuseUnmatched(
  option: keyof typeof FLAGS,
  pattern: string | undefined,
  {
    matched,
    of,
    example,
  }: { readonly matched: number; readonly of: number; readonly example: string | undefined },
): void {
  if (pattern === undefined || matched > 0 || of === 0) return;
  throw new HilumError(
    "invalid-option",
    `${FLAGS[option]} '${pattern}' matches none of ${of} files, for example not ${example}. Mend the expression.`,
    { option, value: pattern, example },
  );
}
