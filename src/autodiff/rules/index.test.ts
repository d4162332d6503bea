import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { GradientTable } from "../rule.ts";
import { GRADIENT_RULES } from "./index.ts";

const files = readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".ts"));
const textOf = (name: string): string =>
  files.includes(name) ? readFileSync(new URL(name, import.meta.url), "utf8") : "";

interface Family {
  readonly file: string;
  readonly name: string;
  readonly table: GradientTable;
}

/** Every exported `..._GRADIENTS` of this folder. */
async function families(): Promise<Family[]> {
  const sources = files.filter((name) => !name.endsWith(".test.ts") && name !== "index.ts");
  const modules = await Promise.all(
    sources.map(async (file) => ({
      file,
      exports: Object.entries(
        (await import(new URL(file, import.meta.url).href)) as Record<string, unknown>,
      ),
    })),
  );
  return modules.flatMap(({ file, exports }) =>
    exports
      .filter(([name]) => name.endsWith("_GRADIENTS"))
      .map(([name, table]) => ({ file, name, table: table as GradientTable })),
  );
}

/** What networks that classify images are made of. */
const NEEDED = `
  Conv ConvTranspose MatMul Gemm Einsum BatchNormalization LayerNormalization
  InstanceNormalization GroupNormalization MaxPool AveragePool GlobalAveragePool GlobalMaxPool
  Relu LeakyRelu PRelu Elu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Erf Gelu Exp Log Sqrt
  Pow Abs Neg Reciprocal Add Sub Mul Div Min Max Sum Where Softmax LogSoftmax ReduceMean ReduceSum
  ReduceMax ReduceL2 Reshape Flatten Transpose Squeeze Unsqueeze Expand Concat Split Slice Pad
  Gather Resize Dropout Identity Cast DepthToSpace SpaceToDepth`;

describe("the table of gradient rules", () => {
  it("has a rule for every operator of image classifiers", () => {
    const needed = NEEDED.split(/\s+/).filter((name) => name !== "");
    expect(needed.filter((name) => !GRADIENT_RULES[name])).toEqual([]);
  });

  it("joins the families, none of which claims another's operator", async () => {
    const names = (await families()).flatMap(({ table }) => Object.keys(table));
    expect(names.toSorted()).toEqual(Object.keys(GRADIENT_RULES).toSorted());
  });

  // checkGradients fails for every rule of the family that has no case.
  it("has each family checked, rule by rule, beside it", async () => {
    const unchecked = (await families()).filter(
      ({ file, name }) =>
        !new RegExp(`checkGradients\\(\\s*${name}\\b`).test(
          textOf(file.replace(".ts", ".test.ts")),
        ),
    );
    expect(unchecked.map(({ name }) => name)).toEqual([]);
  });
});
