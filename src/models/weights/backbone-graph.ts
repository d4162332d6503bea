/** A backbone as a graph: images in, features and the publisher's probabilities out. */
import {
  type Graph,
  graphBuilder,
  isConstantName,
  operators as op,
  type Tensor,
} from "../../onnx/index.ts";
import type { BackboneEntry } from "../backbone.ts";
import { type ExpectedTensors, fitWeights } from "./fit-weights.ts";
import { inOrderOf } from "./keras-order.ts";
import type { NamedTensors } from "./named-tensors.ts";

export interface BackboneGraphOptions {
  /** A file's tensors; without them the parameters are random. */
  readonly weights?: NamedTensors | undefined;
  /** The publisher's classifier. By default it is there where the file has it. */
  readonly withTop?: boolean | undefined;
  /** Of random parameters. */
  readonly seed?: number;
}

/**
 * The backbone's graph: input `x` float32 [N, 3, S, S], normalised as its publisher does; output
 * `features`, and with the top `probabilities` [N, 1000] as well. Throws `weights-mismatch` where
 * the file does not fit.
 */
export function backboneGraph(
  entry: BackboneEntry,
  { weights, withTop, seed = 1 }: BackboneGraphOptions = {},
): Graph {
  if (!weights) return traced(entry, { withTop: withTop ?? false, seed });
  const whole = traced(entry, { withTop: true, seed });
  const named = weights.convention === "keras" ? inOrderOf(whole, weights) : weights;
  const { tensors, hasTop } = fitWeights(expectedTensors(entry), named, { withTop });
  const graph = traced(entry, { withTop: hasTop, seed });
  return { ...graph, initializers: new Map([...graph.initializers, ...tensors]) };
}

/** The parameters that a file of the backbone's weights has to hold. */
export function expectedTensors(entry: BackboneEntry): ExpectedTensors {
  const whole = parametersOf(traced(entry, { withTop: true, seed: 1 }));
  const features = parametersOf(traced(entry, { withTop: false, seed: 1 }));
  return { features, top: new Map([...whole].filter(([name]) => !features.has(name))) };
}

function parametersOf({ initializers }: Graph): Map<string, Tensor> {
  return new Map([...initializers].filter(([name]) => !isConstantName(name)));
}

function traced(
  { name, size, build }: BackboneEntry,
  { withTop, seed }: { withTop: boolean; seed: number },
): Graph {
  const builder = graphBuilder();
  const backbone = build({ seed });
  const x = builder.input("x", "float32", ["N", 3, size, size]);
  const features = builder.output(backbone.features(x), "features");
  if (withTop) builder.output(op.softmax(backbone.top(features)), "probabilities");
  return builder.build(name);
}
