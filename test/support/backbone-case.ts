/** A backbone on weights by a formula, and what another implementation returned on them. */
import { readFileSync } from "node:fs";
import { appendGradients, parameterNames } from "../../src/autodiff/index.ts";
import type { BackboneEntry } from "../../src/models/index.ts";
import { openSession } from "../../src/onnx/index.node.ts";
import {
  type Graph,
  graphBuilder,
  isConstantName,
  modelOf,
  operators as op,
} from "../../src/onnx/index.ts";
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
  /** With the norms of the gradient by some parameters, and by all ("total"). */
  readonly small: Outputs & { readonly gradients: Readonly<Record<string, number>> };
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

/** Fails unless the gradients of the weighted sum of the logits are as long as those of the case. */
export async function expectGradients(
  entry: BackboneEntry,
  { size, gradients }: BackboneCase["small"],
): Promise<void> {
  const forward = backboneForward(entry, size);
  const builder = graphBuilder(withFormulaWeights(forward, isConstantName));
  const weighted = op.mul(builder.find("logits")!, builder.constant(values("weights", [1, 1000])));
  const loss = op.reduceSum(weighted, { keepsDims: false });
  const names = parameterNames(forward);
  const wanted = appendGradients(
    loss,
    names.map((name) => builder.find(name)!),
  );
  const squares = wanted.map((gradient) => op.reduceSumSquare(gradient!, { keepsDims: false }));
  names.forEach((name, index) => {
    if (name in gradients) builder.output(op.sqrt(squares[index]!), `norm:${name}`);
  });
  const [first, ...others] = squares;
  builder.output(op.sqrt(op.sum(first!, ...others)), "norm:total");
  const session = await openSession(builder.build("gradients"));
  try {
    const outputs = await session.run({ x: values("image", [1, 3, size, size]) });
    for (const [name, norm] of Object.entries(gradients)) {
      const { dims, data } = outputs[`norm:${name}`]!;
      expectClose({ dims, data }, { dims: [], data: [norm] }, OF_GRADIENT, `gradient by ${name}`);
    }
  } finally {
    await session.close();
  }
}

/** Single precision flips a few ReLUs of deep networks, whose slopes jump there: 1.6e-3 at worst. */
const OF_GRADIENT = { relative: 5e-3 };
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
