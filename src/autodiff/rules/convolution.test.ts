import { describe, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import { checkGradients } from "../../../test/support/gradient-check.ts";
import { normal, type OperatorCase } from "../../../test/support/operator-case.ts";
import { evaluate } from "../../../test/support/reference/index.ts";
import {
  float32,
  graphBuilder,
  ints,
  operators as op,
  string,
  windowOf,
} from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { CONVOLUTION_GRADIENTS } from "./convolution.ts";
import { byColumns, byGroupedConv, byImage, byRows } from "./convolution-weight.ts";

type ConvOptions = NonNullable<Parameters<typeof op.conv>[3]>;
type TransposeOptions = NonNullable<Parameters<typeof op.convTranspose>[3]>;

interface Form<Options> {
  readonly title: string;
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly options?: Options;
}

const CONVOLUTIONS: readonly Form<ConvOptions>[] = [
  { title: "3x3, no padding", x: [2, 2, 5, 4], weight: [3, 2, 3, 3] },
  { title: "3x3, padded", x: [2, 2, 4, 4], weight: [3, 2, 3, 3], options: { pads: [1, 1, 1, 1] } },
  { title: "1x1", x: [2, 3, 3, 3], weight: [2, 3, 1, 1] },
  { title: "1x1, stride 2", x: [2, 3, 5, 4], weight: [2, 3, 1, 1], options: { strides: [2, 2] } },
  { title: "as large as the image", x: [2, 2, 3, 3], weight: [2, 2, 3, 3] },
  {
    title: "stride 2, padded",
    x: [2, 2, 6, 5],
    weight: [2, 2, 3, 3],
    options: { strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: "stride 2, a remainder at the end",
    x: [1, 2, 6, 7],
    weight: [2, 2, 3, 2],
    options: { strides: [2, 2] },
  },
  {
    title: "strides 3 and 1",
    x: [1, 2, 8, 4],
    weight: [2, 2, 2, 3],
    options: { strides: [3, 1], pads: [0, 1, 0, 1] },
  },
  {
    title: "a stride wider than the kernel",
    x: [1, 2, 7, 7],
    weight: [2, 2, 2, 2],
    options: { strides: [3, 3] },
  },
  {
    title: "asymmetric padding",
    x: [2, 2, 4, 4],
    weight: [2, 2, 3, 3],
    options: { pads: [0, 1, 2, 0] },
  },
  {
    title: "asymmetric padding, stride 2",
    x: [1, 2, 5, 4],
    weight: [2, 2, 3, 3],
    options: { pads: [0, 1, 1, 2], strides: [2, 2] },
  },
  {
    title: "padding wider than the kernel",
    x: [1, 2, 3, 3],
    weight: [2, 2, 2, 2],
    options: { pads: [2, 2, 3, 2] },
  },
  {
    title: "dilated",
    x: [1, 2, 6, 7],
    weight: [2, 2, 3, 2],
    options: { dilations: [2, 3] },
  },
  {
    title: "dilated, strided, padded",
    x: [1, 2, 7, 6],
    weight: [2, 2, 3, 3],
    options: { dilations: [2, 1], strides: [2, 2], pads: [2, 1, 1, 1] },
  },
  {
    title: "SAME_UPPER, stride 2",
    x: [1, 2, 5, 6],
    weight: [2, 2, 3, 2],
    options: { autoPad: "SAME_UPPER", strides: [2, 2] },
  },
  {
    title: "SAME_LOWER, stride 2",
    x: [1, 2, 5, 6],
    weight: [2, 2, 3, 2],
    options: { autoPad: "SAME_LOWER", strides: [2, 2] },
  },
  {
    title: "SAME_UPPER, an even kernel",
    x: [1, 2, 4, 4],
    weight: [2, 2, 2, 4],
    options: { autoPad: "SAME_UPPER" },
  },
  {
    title: "VALID",
    x: [1, 2, 5, 5],
    weight: [2, 2, 3, 3],
    options: { autoPad: "VALID", strides: [2, 1] },
  },
  {
    title: "two groups",
    x: [2, 4, 4, 4],
    weight: [6, 2, 3, 3],
    options: { group: 2, pads: [1, 1, 1, 1] },
  },
  {
    title: "two groups, stride 2",
    x: [2, 4, 5, 5],
    weight: [2, 2, 3, 3],
    options: { group: 2, strides: [2, 2] },
  },
  {
    title: "depthwise",
    x: [2, 3, 4, 5],
    weight: [3, 1, 3, 3],
    options: { group: 3, pads: [1, 1, 1, 1] },
  },
  {
    title: "depthwise, stride 2, a remainder",
    x: [2, 3, 6, 5],
    weight: [3, 1, 3, 3],
    options: { group: 3, strides: [2, 2], pads: [0, 1, 0, 1] },
  },
  {
    title: "depthwise, dilated",
    x: [1, 2, 6, 6],
    weight: [2, 1, 3, 3],
    options: { group: 2, dilations: [2, 2], pads: [2, 2, 2, 2] },
  },
  {
    title: "depthwise with a multiplier",
    x: [2, 2, 4, 4],
    weight: [6, 1, 3, 3],
    options: { group: 2, pads: [1, 1, 1, 1] },
  },
  {
    title: "depthwise with a multiplier, stride 2",
    x: [2, 3, 5, 5],
    weight: [6, 1, 3, 3],
    options: { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  { title: "five input channels", x: [2, 5, 4, 4], weight: [2, 5, 3, 3] },
  {
    title: "five input channels, strided",
    x: [2, 5, 5, 5],
    weight: [2, 5, 3, 3],
    options: { strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: "one dimension",
    x: [2, 2, 7],
    weight: [3, 2, 3],
    options: { strides: [2], pads: [1, 2] },
  },
  {
    title: "one dimension, depthwise",
    x: [2, 3, 6],
    weight: [3, 1, 3],
    options: { group: 3, pads: [1, 1] },
  },
  {
    title: "three dimensions",
    x: [1, 2, 3, 4, 3],
    weight: [2, 2, 2, 3, 2],
    options: { pads: [0, 1, 0, 1, 1, 0] },
  },
  {
    title: "three dimensions, stride 2",
    x: [1, 2, 4, 3, 4],
    weight: [2, 2, 2, 2, 2],
    options: { strides: [2, 1, 2] },
  },
];

const TRANSPOSED: readonly Form<TransposeOptions>[] = [
  { title: "3x3", x: [2, 2, 3, 3], weight: [2, 3, 3, 3] },
  {
    title: "stride 2, padded",
    x: [1, 2, 3, 4],
    weight: [2, 2, 3, 3],
    options: { strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: "stride 2, output padding",
    x: [1, 2, 3, 3],
    weight: [2, 2, 3, 3],
    options: { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 0] },
  },
  {
    title: "asymmetric padding",
    x: [1, 2, 3, 4],
    weight: [2, 2, 3, 3],
    options: { strides: [2, 1], pads: [0, 1, 1, 0] },
  },
  {
    title: "dilated",
    x: [1, 2, 3, 3],
    weight: [2, 2, 2, 3],
    options: { dilations: [2, 2], strides: [2, 2] },
  },
  {
    title: "two groups",
    x: [1, 4, 3, 3],
    weight: [4, 2, 2, 2],
    options: { group: 2, strides: [2, 2] },
  },
  {
    title: "depthwise",
    x: [2, 2, 3, 3],
    weight: [2, 1, 3, 3],
    options: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    title: "SAME_UPPER",
    x: [1, 2, 3, 3],
    weight: [2, 2, 3, 2],
    options: { strides: [2, 2], autoPad: "SAME_UPPER" },
  },
  {
    title: "SAME_LOWER",
    x: [1, 2, 3, 3],
    weight: [2, 2, 4, 3],
    options: { strides: [2, 2], autoPad: "SAME_LOWER" },
  },
  {
    title: "SAME_UPPER, dilated",
    x: [1, 2, 3, 4],
    weight: [2, 2, 3, 2],
    options: { strides: [2, 2], dilations: [2, 1], autoPad: "SAME_UPPER" },
  },
  {
    title: "two groups, two outputs each, no stride",
    x: [2, 2, 3, 3],
    weight: [2, 2, 3, 3],
    options: { group: 2, pads: [1, 1, 1, 1] },
  },
  {
    title: "three dimensions",
    x: [1, 2, 2, 3, 2],
    weight: [2, 1, 2, 2, 3],
    options: { strides: [2, 1, 1], pads: [0, 1, 1, 0, 0, 1] },
  },
  { title: "one dimension", x: [2, 2, 4], weight: [2, 2, 3], options: { strides: [2] } },
];

const CASES: readonly OperatorCase[] = [
  ...CONVOLUTIONS.map(
    ({ title, x, weight, options }): OperatorCase => ({
      operator: "Conv",
      title,
      operands: [normal(x), normal(weight), normal([weight[0]!])],
      build: (image, kernel, bias) => op.conv(image!, kernel!, bias, options),
    }),
  ),
  {
    operator: "Conv",
    title: "no bias",
    operands: [normal([1, 1, 4, 4]), normal([2, 1, 3, 3])],
    build: (x, weight) => op.conv(x, weight),
  },
  ...["NOTSET", "SAME_UPPER"].map(
    (autoPad): OperatorCase => ({
      operator: "ConvTranspose",
      title: `a stated output shape, ${autoPad}`,
      operands: [normal([1, 2, 3, 4]), normal([2, 2, 3, 3]), normal([2])],
      build: (...operands) =>
        operands[0]!.builder.node("ConvTranspose", operands, {
          kernel_shape: ints([3, 3]),
          strides: ints([2, 2]),
          output_shape: ints([6, 7]),
          ...(autoPad === "NOTSET" ? {} : { auto_pad: string(autoPad) }),
        })[0]!,
    }),
  ),
  ...TRANSPOSED.map(
    ({ title, x, weight, options }): OperatorCase => ({
      operator: "ConvTranspose",
      title,
      operands: [normal(x), normal(weight), normal([weight[1]! * (options?.group ?? 1)])],
      build: (image, kernel, bias) => op.convTranspose(image!, kernel!, bias, options),
    }),
  ),
];

/** Shapes that every form of the weight gradient can do, whichever form the rule would choose. */
const FORMS = { byImage, byColumns, byRows };
const DEPTHWISE_FORMS = { byImage, byGroupedConv };

function weightGradients(forms: typeof FORMS | typeof DEPTHWISE_FORMS, form: Form<ConvOptions>) {
  const { x, weight, options = {} } = form;
  const builder = graphBuilder();
  const image = builder.input("x", "float32", x);
  const kernel = builder.input("weight", "float32", weight);
  const y = op.conv(image, kernel, undefined, options);
  const gradient = builder.input("gradient", "float32", y.shape);
  const window = windowOf(builder.nodes()[0]!.attributes, x.slice(2), weight.slice(2));
  const operands = { x: image, gradient, weight: kernel, group: options.group ?? 1, window };
  for (const [name, compute] of Object.entries(forms)) builder.output(compute(operands), name);
  const random = randomStream(1, "weight gradients", form.title);
  const fill = (dims: readonly number[]) =>
    float32(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const feeds = { x: fill(x), weight: fill(weight), gradient: fill(y.shape.map(Number)) };
  return evaluate(builder.build(), feeds);
}

describe("gradients of convolution", () => {
  checkGradients(CONVOLUTION_GRADIENTS, CASES);

  const plain = CONVOLUTIONS.filter(({ options }) => (options?.group ?? 1) === 1);
  it.each(plain.map((form) => [form.title, form] as const))(
    "forms of the weight gradient agree: %s",
    (_, form) => {
      const { byImage, ...others } = weightGradients(FORMS, form);
      for (const [name, result] of Object.entries(others))
        expectClose(result, byImage!, { ofLargest: 1e-12 }, name);
    },
  );

  const depthwise = CONVOLUTIONS.filter(
    ({ x, weight, options }) => weight[1] === 1 && options?.group === x[1] && weight[0] === x[1],
  );
  it.each(depthwise.map((form) => [form.title, form] as const))(
    "depthwise forms of the weight gradient agree: %s",
    (_, form) => {
      const { byImage, byGroupedConv } = weightGradients(DEPTHWISE_FORMS, form);
      expectClose(byGroupedConv!, byImage!, { ofLargest: 1e-12 }, "byGroupedConv");
    },
  );
});
