/** One classifier of several that began with the same weights: the mean of what each has learnt. */
import { HilumError } from "../errors.ts";
import type { Model, Tensor } from "../onnx/index.ts";
import { uncalibrated } from "./calibrated.ts";
import { type ClassifierMetadata, readMetadata, writeMetadata } from "./metadata.ts";
import { withStoredWeights } from "./stored-weights.ts";

/**
 * The first model with each of its weights the mean of those of all models, batch normalization's
 * statistics included, in float32. Its probabilities are others than before: the calibration, the
 * operating point and the metrics are gone; what the others were trained by is kept beside the first
 * one's provenance, as `averagedWith`. Throws `models-unlike` where graph, labels or input differ, and
 * `not-a-classifier`. Source: Wortsman et al. 2022, "Model soups", section 2, the uniform soup.
 */
export function weightsAveraged(models: readonly [Model, ...Model[]]): Model {
  const plain = models.map((model) => uncalibrated(withStoredWeights(model, null)));
  const [first, ...others] = plain as [Model, ...Model[]];
  const described = plain.map(({ metadata }) => readMetadata(metadata, "the model"));
  const [own, ...theirs] = described as [ClassifierMetadata, ...ClassifierMetadata[]];
  others.forEach((model, place) => {
    if (madeOf(model) !== madeOf(first)) refuseUnlike(place, "its network is another one");
    if (JSON.stringify(theirs[place]!.task) !== JSON.stringify(own.task))
      refuseUnlike(place, "it tells other classes or findings apart");
    if (JSON.stringify(theirs[place]!.input) !== JSON.stringify(own.input))
      refuseUnlike(place, "its films are made ready in another way");
  });
  const initializers = new Map(
    [...first.graph.initializers].map(([name, tensor]) => [
      name,
      meanOf([tensor, ...others.map(({ graph }) => graph.initializers.get(name)!)]),
    ]),
  );
  const { card: _, ...kept } = own;
  const metadata = writeMetadata({
    ...kept,
    operatingPoint: null,
    calibration: null,
    metrics: {},
    provenance: {
      ...own.provenance,
      averagedWith: theirs.map(({ provenance }) => provenance),
    },
  });
  const rest = [...first.metadata].filter(([key]) => key !== "hilum.card");
  return {
    ...first,
    graph: { ...first.graph, initializers },
    metadata: new Map([...rest, ...metadata]),
  };
}

/** The graph as text, without the values of its weights. */
function madeOf({ graph }: Model): string {
  const shown = (_: string, value: unknown) =>
    typeof value === "bigint" ? String(value) : ArrayBuffer.isView(value) ? `${value}` : value;
  const constants = [...graph.initializers]
    .map(([name, { type, dims, data }]) => [name, type, dims, type === "float32" ? null : data])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return JSON.stringify([graph.inputs, graph.nodes, graph.outputs, constants], shown);
}

function meanOf(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors as [Tensor, ...Tensor[]];
  if (first.type !== "float32") return first;
  const sums = new Float64Array(first.data.length);
  for (const { data } of tensors)
    for (let at = 0; at < sums.length; at++) sums[at]! += (data as Float32Array)[at]!;
  return { ...first, data: Float32Array.from(sums, (sum) => sum / tensors.length) };
}

function refuseUnlike(place: number, why: string): never {
  const which = `Model ${place + 2}`;
  throw new HilumError(
    "models-unlike",
    `${which} of those to average is unlike the first: ${why}. Average models of one network, classes and input that began with the same weights.`,
    { place: place + 2, why },
  );
}
