/** A classifier's model with its probabilities calibrated in the graph, and back. */
import { HilumError } from "../errors.ts";
import { type Graph, graphBuilder, type Model, type ValueInfo } from "../onnx/index.ts";
import { type Calibration, calibratedValue } from "./calibration.ts";
import { type ClassifierMetadata, readMetadata, writeMetadata } from "./metadata.ts";

const OUTPUT = "probabilities";
/** What the network itself says, in a calibrated graph. */
export const UNCALIBRATED = "uncalibrated_probabilities";
const SCOPE = "calibration";

/**
 * The model whose `probabilities` are calibrated; an earlier calibration is replaced. The operating
 * point and the metrics are those of the calibrated probabilities. Throws `not-a-classifier`.
 */
export function calibrated(
  model: Model,
  calibration: Calibration,
  judged: Pick<ClassifierMetadata, "operatingPoint" | "metrics">,
): Model {
  const plain = uncalibrated(model);
  const metadata = readMetadata(plain.metadata, "the model");
  const builder = graphBuilder(renamed(plain.graph, OUTPUT, UNCALIBRATED));
  const probabilities = builder.find(UNCALIBRATED);
  if (!probabilities)
    throw new HilumError(
      "not-a-classifier",
      `The model has no output "${OUTPUT}" to calibrate; only classifiers that Hilum wrote have it.`,
      { output: OUTPUT },
    );
  builder.output(
    builder.scope(SCOPE, () => calibratedValue(probabilities, calibration)),
    OUTPUT,
  );
  const kept = plain.graph.outputs.filter(({ name }) => name !== OUTPUT);
  const graph = builder.build(plain.graph.name);
  return {
    ...plain,
    graph: { ...graph, outputs: [...graph.outputs, ...kept], values: plain.graph.values },
    metadata: new Map([
      ...plain.metadata,
      ...writeMetadata({ ...metadata, ...judged, calibration }),
    ]),
  };
}

/** The model as its network says it: its operating point is left out, for it was a calibrated one. */
export function uncalibrated(model: Model): Model {
  const metadata = readMetadata(model.metadata, "the model");
  if (!metadata.calibration) return model;
  const isOwn = (name: string) => name === SCOPE || name.startsWith(`${SCOPE}/`);
  const nodes = model.graph.nodes.filter(
    ({ name, outputs }) => !isOwn(name) && !outputs.includes(OUTPUT),
  );
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = new Map([...model.graph.initializers].filter(([name]) => used.has(name)));
  const graph = renamed({ ...model.graph, nodes, initializers }, UNCALIBRATED, OUTPUT);
  return {
    ...model,
    graph,
    metadata: new Map([
      ...model.metadata,
      ...writeMetadata({ ...metadata, operatingPoint: null, calibration: null }),
    ]),
  };
}

/** The calibrated model with what its network says, `[N, C]`, as another output. */
export function withUncalibrated(model: Model): Model {
  const { graph } = model;
  const [{ type, shape }] = graph.outputs.filter(({ name }) => name === OUTPUT) as [ValueInfo];
  return {
    ...model,
    graph: { ...graph, outputs: [...graph.outputs, { name: UNCALIBRATED, type, shape }] },
  };
}

function renamed(graph: Graph, from: string, to: string): Graph {
  const rename = (name: string) => (name === from ? to : name);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
  };
}
