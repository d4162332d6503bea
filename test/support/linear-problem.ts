/**
 * A least-squares problem whose gradient is a formula, for checking optimizers: the loss is
 * sum (x w' + b - t)^2 / (2 rows) with w `[2, 3]` and b `[2]`.
 */
import {
  type Control,
  type TrainingGraphOptions,
  trainingGraph,
} from "../../src/autodiff/index.ts";
import { float32, type Graph, graphBuilder, operators as op } from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";
import { openTrainer } from "../../src/training/trainer.ts";

export const INPUTS = 3;
export const OUTPUTS = 2;

/** Rows of x and t, row-major. */
export interface Batch {
  readonly x: readonly number[];
  readonly t: readonly number[];
}

/** In double precision. */
export interface Weights {
  readonly w: readonly number[];
  readonly b: readonly number[];
}

/** Single-precision numbers, so that graph and formula start from the very same ones. */
function drawn(count: number, ...path: readonly (number | string)[]): number[] {
  const random = randomStream(11, ...path);
  return Array.from({ length: count }, () => Math.fround(random.between(-1, 1)));
}

export const START: Weights = { w: drawn(INPUTS * OUTPUTS, "w"), b: drawn(OUTPUTS, "b") };

export const batchOf = (rows: number, step: number): Batch => ({
  x: drawn(rows * INPUTS, "x", step),
  t: drawn(rows * OUTPUTS, "t", step),
});

export function linearForward(rows: number): Graph {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", [rows, INPUTS]);
  const t = builder.input("t", "float32", [rows, OUTPUTS]);
  const w = builder.parameter("w", float32([OUTPUTS, INPUTS], START.w));
  const b = builder.parameter("b", float32([OUTPUTS], START.b));
  const error = op.sub(op.gemm(x, w, b, { transB: true }), t);
  const total = op.reduceSum(op.mul(error, error), { keepsDims: false });
  builder.output(op.mul(total, builder.scalar(0.5 / rows)), "loss");
  return builder.build();
}

/** dw[o, i] = mean of e[o] x[i], db[o] = mean of e[o], with e = x w' + b - t. */
export function gradientOf({ w, b }: Weights, { x, t }: Batch): Weights {
  const rows = t.length / OUTPUTS;
  const dw = w.map(() => 0);
  const db = b.map(() => 0);
  for (let row = 0; row < rows; row++)
    for (let o = 0; o < OUTPUTS; o++) {
      let error = b[o]! - t[row * OUTPUTS + o]!;
      for (let i = 0; i < INPUTS; i++) error += w[o * INPUTS + i]! * x[row * INPUTS + i]!;
      for (let i = 0; i < INPUTS; i++) dw[o * INPUTS + i]! += (error * x[row * INPUTS + i]!) / rows;
      db[o]! += error / rows;
    }
  return { w: dw, b: db };
}

export interface Trained {
  /** State tensors by name, after the last step. */
  readonly state: ReadonlyMap<string, number[]>;
  /** The outputs of the last step. */
  readonly outputs: Readonly<Record<string, number>>;
}

/** Runs one step per list of batches (its micro-batches) and returns where that led. */
export async function trained(
  options: TrainingGraphOptions,
  steps: readonly (readonly Batch[])[],
  controlsAt: (step: number) => Partial<Record<Control, number>>,
): Promise<Trained> {
  const rows = steps[0]![0]!.t.length / OUTPUTS;
  const trainer = await openTrainer(trainingGraph(linearForward(rows), options), { threads: 1 });
  try {
    let outputs: Record<string, number> = {};
    for (const [index, batches] of steps.entries()) {
      const feeds = batches.map(({ x, t }) => ({
        x: float32([rows, INPUTS], x),
        t: float32([rows, OUTPUTS], t),
      }));
      const results = await trainer.step(feeds, { step: index + 1, ...controlsAt(index + 1) });
      outputs = Object.fromEntries(
        Object.entries(results).map(([name, { data }]) => [name, Number(data[0])]),
      );
    }
    const state = [...trainer.state()].map(([name, { data }]): [string, number[]] => [
      name,
      Array.from(data, Number),
    ]);
    return { state: new Map(state), outputs };
  } finally {
    await trainer.close();
  }
}
