/** What the gate learns: logistic regressions and the population's spread, both in closed steps. */
import type { LinearScore, Population } from "../../classifier/index.ts";
import { assert } from "../../errors.ts";
import { openSession } from "../../onnx/index.node.ts";
import { float32, graphBuilder, operators as op } from "../../onnx/index.ts";

export interface Examples {
  /** Rows of features, all of one length. */
  readonly rows: readonly Float32Array[];
  readonly targets: readonly (0 | 1)[];
  /** Of the penalty on the weights of standardised features. */
  readonly ridge: number;
}

const MOST_STEPS = 12;
const CONVERGED = 1e-3;

/**
 * The logistic regression of the targets, both classes with equal weight: iteratively reweighted least
 * squares. Source: Bishop 2006, equation 4.99, with a ridge.
 */
export async function logisticFit({ rows, targets, ridge }: Examples): Promise<LinearScore> {
  const { mean, deviation } = momentsOf(rows);
  const [count, width] = [rows.length, mean.length + 1];
  const x = new Float32Array(count * width);
  rows.forEach((row, i) => {
    for (let j = 0; j < width - 1; j++) x[i * width + j] = (row[j]! - mean[j]!) / deviation[j]!;
    x[i * width + width - 1] = 1;
  });
  const positives = targets.reduce<number>((sum, target) => sum + target, 0);
  assert(
    positives > 0 && positives < count,
    "a logistic regression needs examples of both classes",
  );
  const share = (target: 0 | 1) => count / 2 / (target === 1 ? positives : count - positives);
  const b = new Float64Array(width);
  const session = await openSession(hessianGraph());
  try {
    for (let step = 0; step < MOST_STEPS; step++) {
      const curvature = new Float32Array(count);
      const slope = new Float64Array(width);
      for (let i = 0; i < count; i++) {
        let z = 0;
        for (let j = 0; j < width; j++) z += x[i * width + j]! * b[j]!;
        const p = 1 / (1 + Math.exp(-z));
        const weight = share(targets[i]!);
        curvature[i] = weight * Math.max(p * (1 - p), 1e-6);
        const error = weight * (p - targets[i]!);
        for (let j = 0; j < width; j++) slope[j]! += error * x[i * width + j]!;
      }
      const { hessian } = await session.run({
        x: float32([count, width], x),
        w: float32([count, 1], curvature),
      });
      const h = Float64Array.from(hessian!.data as Float32Array);
      for (let j = 0; j < width; j++) {
        const penalty = j === width - 1 ? 1e-6 : ridge;
        h[j * width + j]! += penalty;
        slope[j]! += penalty * b[j]!;
      }
      const change = solve(cholesky(h, width), slope);
      for (let j = 0; j < width; j++) b[j]! -= change[j]!;
      if (change.every((value) => Math.abs(value) < CONVERGED)) break;
    }
  } finally {
    await session.close();
  }
  // Standardising is folded into the weights, so that the score takes the features as they are.
  const weights = Float32Array.from(mean, (_, j) => b[j]! / deviation[j]!);
  const shift = mean.reduce((sum, value, j) => sum + (value * b[j]!) / deviation[j]!, 0);
  return { weights, bias: b[width - 1]! - shift };
}

/** x^T diag(w) x. */
function hessianGraph() {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", "F"]);
  const w = builder.input("w", "float32", ["N", 1]);
  builder.output(op.matMul(op.transpose(x, [1, 0]), op.mul(x, w)), "hessian");
  return builder.build("hessian");
}

/**
 * Mean and whitening of the rows' first `width` features: the inverse of the covariance's Cholesky
 * factor, its diagonal raised by `ridge` of itself.
 */
export function populationFit(
  rows: readonly Float32Array[],
  { width, ridge }: { readonly width: number; readonly ridge: number },
): Population {
  const { mean } = momentsOf(rows.map((row) => row.subarray(0, width)));
  const covariance = new Float64Array(width * width);
  for (const row of rows)
    for (let i = 0; i < width; i++) {
      const a = row[i]! - mean[i]!;
      for (let j = 0; j <= i; j++) covariance[i * width + j]! += a * (row[j]! - mean[j]!);
    }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) covariance[i * width + j]! /= rows.length;
    covariance[i * width + i]! *= 1 + ridge;
  }
  const factor = cholesky(covariance, width);
  const whitening = new Float32Array(width * width);
  const unit = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    unit.fill(0);
    unit[column] = 1;
    const solved = forward(factor, unit, width);
    // Rows of the matrix are features, so this is the factor's inverse, transposed.
    for (let row = 0; row < width; row++) whitening[column * width + row] = solved[row]!;
  }
  return { mean: Float32Array.from(mean), whitening, components: width };
}

function momentsOf(rows: readonly Float32Array[]): { mean: Float64Array; deviation: Float64Array } {
  const width = rows[0]!.length;
  const [sum, squares] = [new Float64Array(width), new Float64Array(width)];
  for (const row of rows)
    for (let j = 0; j < width; j++) {
      sum[j]! += row[j]!;
      squares[j]! += row[j]! ** 2;
    }
  const mean = sum.map((value) => value / rows.length);
  const deviation = squares.map((value, j) =>
    Math.sqrt(Math.max(value / rows.length - mean[j]! ** 2, 1e-12)),
  );
  return { mean, deviation };
}

/** The lower factor of a symmetric matrix, of which only the lower half is read. */
function cholesky(matrix: Float64Array, width: number): Float64Array {
  const l = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * width + j]!;
      for (let k = 0; k < j; k++) value -= l[i * width + k]! * l[j * width + k]!;
      l[i * width + j] = i === j ? Math.sqrt(Math.max(value, 1e-12)) : value / l[j * width + j]!;
    }
  return l;
}

function forward(l: Float64Array, right: Float64Array, width: number): Float64Array {
  const y = Float64Array.from(right);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) y[i]! -= l[i * width + k]! * y[k]!;
    y[i]! /= l[i * width + i]!;
  }
  return y;
}

function solve(l: Float64Array, right: Float64Array): Float64Array {
  const width = right.length;
  const x = forward(l, right, width);
  for (let i = width - 1; i >= 0; i--) {
    for (let k = i + 1; k < width; k++) x[i]! -= l[k * width + i]! * x[k]!;
    x[i]! /= l[i * width + i]!;
  }
  return x;
}
