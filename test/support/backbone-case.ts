/** A backbone on weights by a formula, and what another implementation returned on them. */
import { readFileSync } from "node:fs";
import { isConstantName } from "../../src/autodiff/index.ts";
import type { BackboneEntry } from "../../src/models/index.ts";
import { openSession } from "../../src/onnx/index.node.ts";
import { type Graph, graphBuilder, modelOf } from "../../src/onnx/index.ts";
import { withFormulaWeights } from "../reference/backbones/formula.ts";
import { values } from "../reference/trajectories/formula.ts";
import { expectClose } from "./close.ts";
import { referencePath } from "./reference-file.ts";

interface Spread {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  readonly largest: number;
  /** At even distances. */
  readonly values: readonly number[];
}

interface Outputs {
  readonly size: number;
  readonly features: Spread;
  readonly logits: Spread;
}

export interface BackboneCase {
  readonly source: string;
  readonly parameters: number;
  readonly small: Outputs;
  readonly full: Outputs;
}

/** The cases of fixtures by the backbone's name. */
export function backboneCases<Case extends BackboneCase>(
  ...files: readonly string[]
): Readonly<Record<string, Case>> {
  const read = (file: string) =>
    JSON.parse(readFileSync(referencePath(`backbones/${file}`), "utf8"));
  return Object.assign({}, ...files.map(read));
}

/** Input `x`; outputs `features` and `logits`. */
export function backboneForward(entry: BackboneEntry, size: number, batch = 1): Graph {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", [batch, 3, size, size]);
  const { features, top } = entry.build({ seed: 1 });
  const map = builder.output(features(x), "features");
  builder.output(top(map), "logits");
  return builder.build(entry.name);
}

/** Fails unless features and logits are those of the case within 1e-4 of the largest. */
export async function expectOutputs(entry: BackboneEntry, expected: Outputs): Promise<void> {
  const forward = backboneForward(entry, expected.size);
  const session = await openSession(modelOf(withFormulaWeights(forward, isConstantName)));
  try {
    const image = values("image", [1, 3, expected.size, expected.size]);
    const outputs = await session.run({ x: image });
    for (const name of ["features", "logits"] as const)
      expectSpread(outputs[name]!, expected[name], `${name} of ${entry.name}`);
  } finally {
    await session.close();
  }
}

const OF_LARGEST = 1e-4;

function expectSpread(
  { dims, data }: { dims: readonly number[]; data: ArrayLike<number | bigint> },
  expected: Spread,
  what: string,
): void {
  const numbers = Array.from(data, Number);
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length;
  const largest = numbers.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const count = expected.values.length;
  const picked = Array.from(
    { length: count },
    (_, i) => numbers[Math.round((i * (numbers.length - 1)) / (count - 1))]!,
  );
  const absolute = OF_LARGEST * expected.largest;
  expectClose({ dims, data: [] }, { dims: expected.shape, data: [] }, {}, what);
  expectClose(
    { dims: [3 + count], data: [mean, Math.sqrt(variance), largest, ...picked] },
    {
      dims: [3 + count],
      data: [expected.mean, expected.deviation, expected.largest, ...expected.values],
    },
    { absolute },
    what,
  );
}
