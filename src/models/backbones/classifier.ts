/** The classifier that most publishers put behind their last map. */
import { operators as op, type Value } from "../../onnx/index.ts";
import type { LayerFactory } from "../layers.ts";

/** Logits `[N, 1000]`: one dense layer of that name on the map's mean over its positions. */
export function pooledClassifier(layers: LayerFactory, features: Value, name: string): Value {
  return layers.dense(op.flatten(op.globalAveragePool(features)), name, 1000, { scale: 1 });
}
