/**
 * Losses as graph fragments. Logits, targets and weights are `[N, L]`; a weight of zero masks a
 * label that is missing or uncertain. The result is the weighted mean, a scalar.
 */
import { operators as op, type Value } from "../onnx/index.ts";

export interface LossOperands {
  readonly logits: Value;
  /** Probabilities in [0, 1]; mixed or smoothed targets are allowed. */
  readonly targets: Value;
  readonly weights: Value;
}

export interface LossOptions {
  /** Moves every target this share of the way to the uniform distribution. */
  readonly labelSmoothing?: number | undefined;
}

export type Loss = (operands: LossOperands) => Value;

/** -(t log p + (1 - t) log(1 - p)) for p = sigmoid(z), as softplus(z) - t z, which cannot overflow. */
export function binaryCrossEntropy(options: LossOptions = {}): Loss {
  return ({ logits, targets, weights }) => {
    const entropies = binaryEntropies(logits, smooth(targets, 2, options.labelSmoothing));
    return weightedMean(entropies, weights);
  };
}

/**
 * Cross-entropy scaled by (1 - p_t)^gamma, which turns to the hard examples.
 * Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 4.
 */
export function focal({ gamma = 2, ...options }: LossOptions & { gamma?: number } = {}): Loss {
  return ({ logits, targets, weights }) => {
    const { builder } = logits;
    const smoothed = smooth(targets, 2, options.labelSmoothing);
    const p = op.sigmoid(logits);
    // 1 - p_t = p + t - 2 p t, for p_t = p t + (1 - p)(1 - t).
    const doubled = op.mul(builder.scalar(2), op.mul(p, smoothed));
    const missed = op.sub(op.add(p, smoothed), doubled);
    // Above zero, where a power below 1 has an infinite slope: 0 times that would be NaN.
    const above = op.max(missed, builder.scalar(1e-12));
    const focus = gamma === 2 ? op.mul(missed, missed) : op.pow(above, builder.scalar(gamma));
    return weightedMean(op.mul(focus, binaryEntropies(logits, smoothed)), weights);
  };
}

/** -sum_k t_k log softmax(z)_k per image; the weight of an image is that of its first label. */
export function softmaxCrossEntropy(options: LossOptions = {}): Loss {
  return ({ logits, targets, weights }) => {
    const classes = Number(logits.shape.at(-1));
    const smoothed = smooth(targets, classes, options.labelSmoothing);
    const products = op.mul(smoothed, op.logSoftmax(logits, -1));
    const entropies = op.neg(op.reduceSum(products, { axes: [1] }));
    const perImage = op.slice(weights, [{ axis: 1, start: 0, end: 1 }]);
    return weightedMean(entropies, perImage);
  };
}

function binaryEntropies(logits: Value, targets: Value): Value {
  return op.sub(op.softplus(logits), op.mul(targets, logits));
}

function smooth(targets: Value, classes: number, amount = 0): Value {
  if (amount === 0) return targets;
  const { builder } = targets;
  return op.add(op.mul(targets, builder.scalar(1 - amount)), builder.scalar(amount / classes));
}

/** sum(w l) / sum(w); zero where every label is masked. */
function weightedMean(losses: Value, weights: Value): Value {
  const total = op.reduceSum(op.mul(losses, weights), { keepsDims: false });
  const tiny = weights.builder.scalar(1e-12);
  return op.div(total, op.max(op.reduceSum(weights, { keepsDims: false }), tiny));
}
