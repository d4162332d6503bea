/**
 * Integrated gradients: what each pixel adds to the logit on the way from a flat picture of the
 * film's mean to the film, (x - x') times the mean of the gradient along the straight line. They sum
 * up to logit(x) - logit(x'). Source: Sundararajan, Taly and Yan 2017, equations 1 and 3, and
 * proposition 1. The line lies in the normalised picture: standardising undoes a change of contrast,
 * so that along a line of raw grey levels nearly nothing would change.
 */
import { appendGradients } from "../autodiff/index.ts";
import { type Graph, graphBuilder, operators as op } from "../onnx/index.ts";
import { type ClassifierParts, logitsOf, PICTURE } from "./network-of.ts";
import { logitCount } from "./task.ts";

/**
 * Inputs `picture` `[1, 1, S, S]`, `steps` `[B, 1, 1, 1]` (places on the line, 0 to 1) and `wanted`
 * `[1, L]` (factors of the logits); outputs `attribution` `[1, S, S]`, summed over the steps, and
 * `logit` `[B]` at each of them.
 */
export function integratedGradientsGraph(
  { network, size, task }: ClassifierParts,
  batch: number,
): Graph {
  const builder = graphBuilder();
  const picture = builder.input(PICTURE, "float32", [1, 1, size, size]);
  const steps = builder.input("steps", "float32", [batch, 1, 1, 1]);
  const wanted = builder.input("wanted", "float32", [1, logitCount(task)]);
  const flat = op.reduceMean(picture, { axes: [1, 2, 3] });
  const way = op.sub(picture, flat);
  const points = op.add(flat, op.mul(steps, way));
  const logit = op.reduceSum(op.mul(logitsOf(points, network), wanted), {
    axes: [1],
    keepsDims: false,
  });
  builder.output(logit, "logit");
  const [slope] = appendGradients(op.reduceSum(logit, { axes: [0], keepsDims: false }), [points]);
  const total = slope ? op.reduceSum(slope, { axes: [0] }) : op.mul(way, builder.scalar(0));
  builder.output(op.squeeze(op.mul(way, total), [1]), "attribution");
  return builder.build("integrated-gradients");
}
