/** The threshold that a user states for an evaluation: a number, never a way of choosing one. */
import { HilumError } from "../errors.ts";

const RULES = /youden|sens|recall|spec|cost|ppv|npv|f1|best|opt|auto|max/i;

/**
 * The number. Throws `operating-point-refused` for a rule, which would choose the threshold on the
 * films that it is then judged by, and `invalid-option` for anything else.
 */
export function statedThreshold(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  if (Number.isNaN(value) && RULES.test(text))
    throw new HilumError(
      "operating-point-refused",
      `An operating point ("${text}") is not chosen on the films that are evaluated: it would fit their chance, and every figure at it would be too good. Choose it on the run's validation films with: hilum calibrate RUN --operating-point ${text}`,
      { option: "threshold", value: text },
    );
  throw new HilumError(
    "invalid-option",
    `Option --threshold is "${text}"; it has to be a number from 0 to 1.`,
    { option: "threshold", value: text },
  );
}
