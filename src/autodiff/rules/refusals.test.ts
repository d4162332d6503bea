/** Forms of operators whose gradient a rule does not know are refused, never guessed. */
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../../test/support/rejection.ts";
import {
  float,
  float32,
  type GraphBuilder,
  graphBuilder,
  int,
  ints,
  operators as op,
  string,
  type Value,
} from "../../onnx/index.ts";
import { appendGradients } from "../gradient.ts";

interface Refusal {
  readonly title: string;
  readonly operator: string;
  readonly dims: readonly number[];
  readonly reason: RegExp;
  readonly build: (x: Value, builder: GraphBuilder) => Value;
}

const channels = (builder: GraphBuilder, name: string, count = 2): Value =>
  builder.input(name, "float32", [count]);

const REFUSALS: readonly Refusal[] = [
  {
    title: "a Clip whose bounds are computed",
    operator: "Clip",
    dims: [3],
    reason: /bounds are computed at run time/,
    build: (x, builder) => builder.node("Clip", [x, builder.input("low", "float32", [])])[0]!,
  },
  {
    title: "an Elu of negative alpha",
    operator: "Elu",
    dims: [3],
    reason: /alpha is negative/,
    build: (x) => op.elu(x, -1),
  },
  {
    title: "a cubic Resize",
    operator: "Resize",
    dims: [1, 1, 4, 4],
    reason: /cubic/,
    build: (x) => op.resizeToSizes(x, [1, 1, 8, 8], { mode: "cubic" }),
  },
  {
    title: "an antialiased Resize",
    operator: "Resize",
    dims: [1, 1, 4, 4],
    reason: /antialiased/,
    build: (x) => op.resizeToSizes(x, [1, 1, 2, 2], { mode: "linear", isAntialiased: true }),
  },
  {
    title: "a Resize of a part of the image",
    operator: "Resize",
    dims: [1, 1, 4, 4],
    reason: /tf_crop_and_resize/,
    build: (x, builder) =>
      builder.node(
        "Resize",
        [
          x,
          builder.constant(float32([8], [0, 0, 0, 0, 1, 1, 1, 1])),
          undefined,
          builder.integers([1, 1, 2, 2]),
        ],
        { coordinate_transformation_mode: string("tf_crop_and_resize"), mode: string("linear") },
      )[0]!,
  },
  {
    title: "a MaxPool whose indices run by column",
    operator: "MaxPool",
    dims: [1, 1, 4, 4],
    reason: /storage_order/,
    build: (x, builder) =>
      builder.node("MaxPool", [x], { kernel_shape: ints([2, 2]), storage_order: int(1) })[0]!,
  },
  {
    title: "an Einsum that takes a diagonal",
    operator: "Einsum",
    dims: [3, 3],
    reason: /not a plain product/,
    build: (x) => op.einsum("ii->i", x),
  },
  {
    title: "an Einsum of three operands",
    operator: "Einsum",
    dims: [3],
    reason: /not a plain product/,
    build: (x) => op.einsum("i,i,i->i", x, x, x),
  },
  {
    title: "a batch norm in training that blends its statistics",
    operator: "BatchNormalization",
    dims: [3, 2],
    reason: /momentum must be 0/,
    build: (x, builder) =>
      builder.node(
        "BatchNormalization",
        [x, ...["scale", "bias", "mean", "variance"].map((name) => channels(builder, name))],
        { training_mode: int(1), momentum: float(0.9) },
        { outputs: 3 },
      )[0]!,
  },
  {
    title: "a frozen batch norm whose variance is computed",
    operator: "BatchNormalization",
    dims: [3, 2],
    reason: /mean or variance is computed/,
    build: (x, builder) => {
      const variance = op.reduceMean(op.mul(x, x), { axes: [0], keepsDims: false });
      const [scale, bias, mean] = ["scale", "bias", "mean"].map((name) => channels(builder, name));
      return op.batchNormalization(x, { scale: scale!, bias: bias!, mean: mean!, variance });
    },
  },
  {
    title: "a layer norm whose mean takes part in the loss",
    operator: "LayerNormalization",
    dims: [3, 2],
    reason: /output 1 takes part/,
    build: (x, builder) => {
      const [y, mean] = builder.node(
        "LayerNormalization",
        [x, channels(builder, "scale")],
        {},
        { outputs: 2 },
      );
      return op.add(y!, mean!);
    },
  },
  {
    title: "a layer norm of which only the mean takes part in the loss",
    operator: "LayerNormalization",
    dims: [3, 2],
    reason: /output 1 takes part/,
    build: (x, builder) =>
      builder.node("LayerNormalization", [x, channels(builder, "scale")], {}, { outputs: 2 })[1]!,
  },
];

describe("forms without a gradient", () => {
  it.each(REFUSALS.map((entry) => [entry.title, entry] as const))("refuses %s", (_, entry) => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", entry.dims);
    const loss = op.reduceSum(entry.build(x, builder), { keepsDims: false });
    const error = thrownBy(() => appendGradients(loss, [x]));
    const { code, message, details } = error;
    expect(code).toBe("no-gradient-rule");
    expect(message).toMatch(entry.reason);
    expect(message).toContain(`Cannot train through ${entry.operator} "`);
    expect(details).toMatchObject({ operator: entry.operator });
  });

  it("hands the gradient through half precision", () => {
    const builder = graphBuilder();
    const x = builder.input("x", "float32", [3]);
    const half = op.cast(op.cast(x, "float16"), "float32");
    const [gradient] = appendGradients(op.reduceSum(half, { keepsDims: false }), [x]);
    expect(gradient).toMatchObject({ type: "float32", shape: [3] });
  });
});
