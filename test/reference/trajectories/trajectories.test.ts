/** 20 training steps of four networks against PyTorch in double precision (make.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  adamW,
  binaryCrossEntropy,
  type Loss,
  sgd,
  softmaxCrossEntropy,
  type TrainingGraphOptions,
  trainingGraph,
} from "../../../src/autodiff/index.ts";
import { blockedChannels } from "../../../src/onnx/index.node.ts";
import { graphBuilder, type Tensor, type Value } from "../../../src/onnx/index.ts";
import { openTrainer } from "../../../src/training/trainer.ts";
import { expectClose } from "../../support/close.ts";
import { BATCH, binaryTargets, classTargets, images, SIZE } from "./formula.ts";
import { cnn, depthwise, residual, transformer } from "./networks.ts";

interface Trajectory {
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  /** Sum and Euclidean norm of each tensor after the last step. */
  readonly state: Readonly<Record<string, readonly [sum: number, norm: number]>>;
}

const EXPECTED: Readonly<Record<string, Trajectory>> = JSON.parse(
  readFileSync(new URL("trajectories.json", import.meta.url), "utf8"),
);

interface Setting {
  readonly name: string;
  readonly network: (x: Value) => Value;
  readonly loss: Loss;
  readonly outputs: number;
  /** Kinds of images; with binary labels one per combination. */
  readonly classes: number;
  readonly targetsAt: (step: number) => { targets: Tensor; weights: Tensor };
  readonly learningRate: number;
  readonly options: TrainingGraphOptions;
}

const SETTINGS: readonly Setting[] = [
  {
    name: "cnn",
    network: cnn,
    loss: binaryCrossEntropy(),
    outputs: 1,
    classes: 2,
    targetsAt: (step) => binaryTargets(step, 1),
    learningRate: 0.05,
    options: { optimizer: sgd({ momentum: 0.9 }) },
  },
  {
    name: "residual",
    network: residual,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }),
    outputs: 3,
    classes: 3,
    targetsAt: (step) => classTargets(step, 3),
    learningRate: 3e-3,
    options: { optimizer: adamW({ weightDecay: 0.05 }) },
  },
  {
    name: "depthwise",
    network: depthwise,
    loss: binaryCrossEntropy(),
    outputs: 2,
    classes: 4,
    targetsAt: (step) => binaryTargets(step, 2),
    learningRate: 0.05,
    options: { optimizer: sgd({ momentum: 0.9, isNesterov: true }) },
  },
  {
    name: "transformer",
    network: transformer,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.1 }),
    outputs: 3,
    classes: 3,
    targetsAt: (step) => classTargets(step, 3),
    learningRate: 3e-3,
    options: { optimizer: adamW({ weightDecay: 0.05 }), clipNorm: 0.5 },
  },
];

function forwardOf({ network, loss, outputs }: Setting) {
  const builder = graphBuilder();
  const x = builder.input("images", "float32", [BATCH, 1, SIZE, SIZE]);
  const targets = builder.input("targets", "float32", [BATCH, outputs]);
  const weights = builder.input("weights", "float32", [BATCH, outputs]);
  builder.output(loss({ logits: network(x), targets, weights }), "loss");
  return builder.build();
}

async function trajectoryOf(setting: Setting, block: number): Promise<Trajectory> {
  const training = trainingGraph(forwardOf(setting), { ...setting.options, block });
  const trainer = await openTrainer(training, { threads: 1 });
  const losses: number[] = [];
  const gradientNorms: number[] = [];
  for (let step = 1; step <= EXPECTED[setting.name]!.losses.length; step++) {
    const feeds = { images: images(step, setting.classes), ...setting.targetsAt(step) };
    const results = await trainer.step(feeds, { learningRate: setting.learningRate, step });
    losses.push(Number(results.loss!.data[0]));
    gradientNorms.push(Number(results.gradientNorm!.data[0]));
  }
  const state = training.state.flatMap(({ name, kind }) => {
    if (kind === "moment") return [];
    const values = Array.from(trainer.state().get(name)!.data, Number);
    const sum = values.reduce((a, b) => a + b, 0);
    return [[name, [sum, Math.hypot(...values)]] as const];
  });
  await trainer.close();
  return { losses, gradientNorms, state: Object.fromEntries(state) };
}

/** Ten times what single precision was seen to err by; a rule or an update that is wrong is far outside. */
const TOLERANCE = { losses: { relative: 3e-5 }, norms: { relative: 1e-4 }, state: { ofLargest: 1e-5 } };

/** Softmax ignores what a key's bias adds: its gradient is zero but for rounding, which Adam magnifies. */
const isUndetermined = (name: string): boolean => name.endsWith("/k.bias");

const vector = (data: readonly number[]) => ({ dims: [data.length], data });

const LAYOUTS = [...new Set([0, await blockedChannels()])];

describe("20 steps in single precision", () => {
  it.each(
    SETTINGS.flatMap((setting) => LAYOUTS.map((block) => [setting.name, block, setting] as const)),
  )(
    "follow PyTorch's in double precision: %s, in blocks of %i channels",
    async (name, block, setting) => {
      const actual = await trajectoryOf(setting, block);
      const expected = EXPECTED[name]!;
      const [losses, norms] = [vector(expected.losses), vector(expected.gradientNorms)];
      expectClose(vector(actual.losses), losses, TOLERANCE.losses, "losses");
      expectClose(vector(actual.gradientNorms), norms, TOLERANCE.norms, "gradient norms");
      expect(Object.keys(actual.state).sort()).toEqual(Object.keys(expected.state).sort());
      for (const [tensor, want] of Object.entries(expected.state)) {
        if (isUndetermined(tensor)) continue;
        expectClose(vector(actual.state[tensor]!), vector(want), TOLERANCE.state, tensor);
      }
    },
  );
});
