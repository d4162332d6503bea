import { describe, expect, it } from "vitest";
import { TRAIN_OPTIONS } from "../src/cli/train-options.ts";
import { SettingsSchema } from "../src/training/options.ts";

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const settings = Object.entries(SettingsSchema.properties) as [string, { enum?: string[] }][];

describe("hilum train", () => {
  it.each(settings)("has an option for the setting %s, with its choices", (name, schema) => {
    const option = TRAIN_OPTIONS.find(({ flags }) => flags.split(" ")[0] === `--${kebab(name)}`);
    expect(option, name).toBeDefined();
    expect(option?.choices).toEqual(schema.enum);
  });

  it("names no option twice", () => {
    const names = TRAIN_OPTIONS.map(({ flags }) => flags.split(" ")[0]);
    expect(names).toEqual([...new Set(names)]);
  });
});
