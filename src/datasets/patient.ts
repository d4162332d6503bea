/** Who is on a film: patients from file names. */
import { HilumError } from "../errors.ts";

/**
 * Patients of the public paediatric set (Kermany et al.): `personN_bacteria` and `personN_virus`
 * share a number and count as one patient, as do `IM-N` and `NORMAL2-IM-N`. Joining cannot leak.
 */
const KNOWN_PATTERNS: readonly { readonly pattern: RegExp; readonly prefix: string }[] = [
  { pattern: /person(\d+)/i, prefix: "person" },
  { pattern: /IM-(\d+)/, prefix: "IM-" },
];

export type PatientOf = (fileName: string) => string | undefined;

/** How patients are read from file names: by the user's pattern, or by the known ones. */
export function patientReader(pattern?: string): PatientOf {
  if (pattern === undefined) return knownPatient;
  const expression = compilePattern(pattern, "--patient-pattern");
  return (fileName) => {
    const match = expression.exec(fileName);
    return match ? (match[1] ?? match[0]) : undefined;
  };
}

function knownPatient(fileName: string): string | undefined {
  for (const { pattern, prefix } of KNOWN_PATTERNS) {
    const match = pattern.exec(fileName);
    if (match) return `${prefix}${Number(match[1])}`;
  }
  return undefined;
}

/** The regular expression, or `invalid-option` naming the option. */
export function compilePattern(pattern: string, option: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HilumError(
      "invalid-option",
      `${option} is not a regular expression: ${reason}. Give one such as 'person(\\d+)'.`,
      { option, value: pattern },
      cause,
    );
  }
}
