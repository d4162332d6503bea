import { describe, expect, it } from "vitest";
import { TRAIN_OPTIONS } from "../src/cli/train-options.ts";
import { SettingsSchema } from "../src/training/options.ts";

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
type Schema = { enum?: string[]; anyOf?: Schema[] };
const settings = Object.entries(SettingsSchema.properties) as [string, Schema][];
/** A setting that says what is in the file that the option names. */
const RENAMED: Readonly<Record<string, string>> = { weightsSha256: "weights" };
const choicesOf = (schema: Schema): string[] | undefined =>
  schema.enum ?? schema.anyOf?.flatMap((one) => (one.enum ? [one.enum] : []))[0];

describe("hilum train", () => {
  it.each(settings)("has an option for the setting %s, with its choices", (name, schema) => {
    const option = TRAIN_OPTIONS.find(
      ({ flags }) => flags.split(" ")[0] === `--${kebab(RENAMED[name] ?? name)}`,
    );
    expect(option, name).toBeDefined();
    expect(option?.choices).toEqual(choicesOf(schema));
  });

  it("names no option twice", () => {
    const names = TRAIN_OPTIONS.map(({ flags }) => flags.split(" ")[0]);
    expect(names).toEqual([...new Set(names)]);
  });
});
