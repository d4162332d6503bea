import { describe } from "vitest";
import { checkGradients, checkKinks } from "../../../test/support/gradient-check.ts";
import {
  between,
  nonZero,
  normal,
  type OperatorCase,
} from "../../../test/support/operator-case.ts";
import { float32, operators as op } from "../../onnx/index.ts";
import { ACTIVATION_GRADIENTS } from "./activation.ts";

/** Away from -3, 0 and 3, where hard activations bend. */
const pieces = nonZero([3, 4]);
const wide = between(-6, 6, [24]);

const CASES: readonly OperatorCase[] = [
  { operator: "Relu", title: "a matrix", operands: [pieces], build: op.relu },
  { operator: "Relu", title: "images", operands: [nonZero([2, 3, 3, 2])], build: op.relu },
  { operator: "Relu", title: "a scalar", operands: [nonZero([])], build: op.relu },
  {
    operator: "LeakyRelu",
    title: "default slope",
    operands: [pieces],
    build: (x) => op.leakyRelu(x),
  },
  {
    operator: "LeakyRelu",
    title: "slope 0.3",
    operands: [pieces],
    build: (x) => op.leakyRelu(x, 0.3),
  },
  {
    operator: "LeakyRelu",
    title: "a negative slope",
    operands: [pieces],
    build: (x) => op.leakyRelu(x, -0.5),
  },
  { operator: "PRelu", title: "one slope", operands: [pieces, normal([1])], build: op.prelu },
  {
    operator: "PRelu",
    title: "a slope by channel",
    operands: [nonZero([2, 3, 2, 2]), normal([3, 1, 1])],
    build: op.prelu,
  },
  {
    operator: "PRelu",
    title: "a slope by element",
    operands: [pieces, normal([3, 4])],
    build: op.prelu,
  },
  { operator: "Elu", title: "alpha 1", operands: [pieces], build: (x) => op.elu(x) },
  { operator: "Elu", title: "alpha 0.4", operands: [pieces], build: (x) => op.elu(x, 0.4) },
  {
    operator: "Clip",
    title: "both bounds",
    operands: [nonZero([20])],
    build: (x) => op.clip(x, -1, 0.7),
  },
  {
    operator: "Clip",
    title: "a lower bound",
    operands: [nonZero([20])],
    build: (x) => op.clip(x, -0.1),
  },
  {
    operator: "Clip",
    title: "an upper bound",
    operands: [nonZero([20])],
    build: (x) => op.clip(x, undefined, 0.1),
  },
  { operator: "Clip", title: "no bounds", operands: [pieces], build: (x) => op.clip(x) },
  { operator: "Sigmoid", title: "either sign", operands: [wide], build: op.sigmoid },
  {
    operator: "HardSigmoid",
    title: "default slope, beyond both bounds",
    operands: [wide],
    build: (x) => op.hardSigmoid(x),
  },
  {
    operator: "HardSigmoid",
    title: "its own slope",
    operands: [wide],
    build: (x) => op.hardSigmoid(x, { alpha: 0.4, beta: 0.3 }),
  },
  { operator: "HardSwish", title: "beyond both bounds", operands: [wide], build: op.hardSwish },
  { operator: "Tanh", title: "either sign", operands: [wide], build: op.tanh },
  { operator: "Softplus", title: "either sign", operands: [wide], build: op.softplus },
  { operator: "Erf", title: "either sign", operands: [between(-3, 3, [12])], build: op.erf },
  { operator: "Gelu", title: "exact", operands: [wide], build: (x) => op.gelu(x) },
  { operator: "Gelu", title: "by tanh", operands: [wide], build: (x) => op.gelu(x, "tanh") },
];

describe("gradients of activations", () => {
  checkGradients(ACTIVATION_GRADIENTS, CASES);
  checkKinks([
    {
      title: "Relu at 0 has slope 0",
      at: [float32([3], [-1, 0, 1])],
      build: op.relu,
      chosen: [[0, 0, 1]],
    },
    {
      title: "LeakyRelu at 0 has slope 1",
      at: [float32([3], [-1, 0, 1])],
      build: (x) => op.leakyRelu(x, 0.25),
      chosen: [[0.25, 1, 1]],
    },
    {
      title: "PRelu at 0 has slope 1, and its slope's gradient is 0",
      at: [float32([3], [-1, 0, 1]), float32([3], [0.25, 0.25, 0.25])],
      build: op.prelu,
      chosen: [
        [0.25, 1, 1],
        [-1, 0, 0],
      ],
    },
    {
      title: "Elu at 0 has slope alpha",
      at: [float32([1], [0])],
      build: (x) => op.elu(x, 0.5),
      chosen: [[0.5]],
    },
    {
      title: "Clip at a bound has slope 0",
      at: [float32([4], [-1, -0.5, 0.5, 1])],
      build: (x) => op.clip(x, -1, 1),
      chosen: [[0, 1, 1, 0]],
    },
    {
      title: "HardSigmoid at a bound has slope 0",
      at: [float32([3], [-2, 0, 2])],
      build: (x) => op.hardSigmoid(x, { alpha: 0.25, beta: 0.5 }),
      chosen: [[0, 0.25, 0]],
    },
  ]);
});
