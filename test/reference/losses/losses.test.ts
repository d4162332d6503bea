/** Every form of every loss against PyTorch; losses.json is made by make.py. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import {
  appendGradients,
  binaryCrossEntropy,
  focal,
  type Loss,
  type LossOptions,
  softmaxCrossEntropy,
} from "../../../src/autodiff/index.ts";
import { openSession } from "../../../src/onnx/index.node.ts";
import { float32, graphBuilder } from "../../../src/onnx/index.ts";
import { expectClose } from "../../support/close.ts";

const LOSSES = { binaryCrossEntropy, focal, softmaxCrossEntropy } satisfies Readonly<
  Record<string, (options?: LossOptions & { gamma?: number }) => Loss>
>;

type Rows = readonly (readonly number[])[];

interface Fixture {
  readonly title: string;
  readonly loss: keyof typeof LOSSES;
  readonly options: LossOptions & { gamma?: number };
  readonly logits: Rows;
  readonly targets: Rows;
  readonly weights: Rows;
  readonly value: number;
  readonly gradient: Rows;
}

const FIXTURES = JSON.parse(
  readFileSync(new URL("losses.json", import.meta.url), "utf8"),
) as Fixture[];

async function computed({ loss, options, ...feeds }: Fixture) {
  const { logits, targets, weights } = feeds;
  const dims = [logits.length, logits[0]!.length];
  const builder = graphBuilder();
  const input = (name: string) => builder.input(name, "float32", dims);
  const operands = {
    logits: input("logits"),
    targets: input("targets"),
    weights: input("weights"),
  };
  const value = LOSSES[loss](options)(operands);
  builder.output(value, "value");
  builder.output(appendGradients(value, [operands.logits])[0]!, "gradient");
  const session = await openSession(builder.build(), { threads: 1 });
  const tensors = Object.entries({ logits, targets, weights }).map(([name, rows]) => [
    name,
    float32(dims, rows.flat()),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.close();
  return results;
}

describe("losses", () => {
  it.each(FIXTURES.map((entry) => [entry.loss, entry.title, entry] as const))(
    "agree with PyTorch: %s, %s",
    async (_, __, entry) => {
      const { value, gradient } = await computed(entry);
      const dims = [entry.logits.length, entry.logits[0]!.length];
      expectClose(value!, { dims: [], data: [entry.value] }, { relative: 2e-6 }, "loss");
      // A sum that cancels: single precision of terms as large as the largest gradient.
      const wanted = { dims, data: entry.gradient.flat() };
      expectClose(gradient!, wanted, { ofLargest: 2e-6 }, "gradient");
    },
  );
});
