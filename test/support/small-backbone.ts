/** A backbone small enough to train in tests: a stem and two residual blocks with norms of their own statistics. */
import { layersOf } from "../../src/models/index.ts";
import {
  type Graph,
  graphBuilder,
  operators as op,
  type Tensor,
  type Value,
} from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";
import type { PretrainedBackbone } from "../../src/training/index.ts";

/** Input `x` `[N, 3, size, size]`; features of 16 channels. */
export function smallBackbone(size: number, seed = 5): PretrainedBackbone {
  const builder = graphBuilder();
  const layers = layersOf(seed);
  let y = builder.input("x", "float32", ["N", 3, size, size]);
  const convNorm = (x: Value, name: string) =>
    layers.batchNorm(
      layers.conv(x, `${name}.conv`, { channels: 16, hasBias: false }),
      `${name}.norm`,
    );
  y = op.maxPool(op.relu(convNorm(y, "stem")), { kernel: [2, 2], strides: [2, 2] });
  for (const name of ["blocks.0", "blocks.1"]) y = op.relu(op.add(convNorm(y, name), y));
  builder.output(y, "features");
  return {
    graph: withStatistics(builder.build("small"), seed),
    preprocessing: { order: "rgb", mean: [120, 115, 100], deviation: [58, 57, 56] },
  };
}

/** As if trained: means and variances of norms that are not 0 and 1. */
function withStatistics(graph: Graph, seed: number): Graph {
  const moved = ([name, contents]: [string, Tensor]): [string, Tensor] => {
    const part = /\.(mean|variance|scale|bias)$/.exec(name)?.[1];
    if (!part) return [name, contents];
    const random = randomStream(seed, name);
    const low = part === "mean" || part === "bias" ? -0.3 : 0.6;
    const data = Float32Array.from({ length: contents.data.length }, () =>
      random.between(low, low + 0.8),
    );
    return [name, { ...contents, data }];
  };
  return { ...graph, initializers: new Map([...graph.initializers].map(moved)) };
}
