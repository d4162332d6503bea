/** ONNX Runtime sessions: the only place where Hilum computes in Node. */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { HilumError } from "../errors.ts";
import { type Graph, type Model, modelOf } from "./graph.ts";
import type { DataType, Tensor, TypedArray } from "./tensor.ts";
import { isUnreadable, UNREADABLE, withUnreadableOutput } from "./unreadable-output.ts";
import { writeModel } from "./write.ts";

export interface SessionOptions {
  /** Threads within an operator; 0 or absent lets ONNX Runtime take all cores. */
  readonly threads?: number | undefined;
  /** Writes a per-node profile beside this name when the session closes. */
  readonly profilePrefix?: string | undefined;
  /** Plans the memory of a whole run ahead, which takes more of it; true by default. */
  readonly plansMemory?: boolean | undefined;
  readonly providers?: readonly string[] | undefined;
  readonly optimization?: "disabled" | "basic" | "extended" | "layout" | "all" | undefined;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the graph and returns its outputs (or, with `wanted`, those only). */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    wanted?: readonly string[],
  ): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

export interface WritingSession extends Omit<Session, "run"> {
  /** Runs the graph and writes the outputs named in `into` to those tensors; nothing is copied. */
  write(
    feeds: Readonly<Record<string, Tensor>>,
    into: Readonly<Record<string, Tensor>>,
  ): Promise<void>;
}

const ORT_TYPES: Partial<Record<DataType, string>> = {
  float32: "float32",
  float64: "float64",
  uint8: "uint8",
  int8: "int8",
  uint16: "uint16",
  int16: "int16",
  uint32: "uint32",
  int32: "int32",
  uint64: "uint64",
  int64: "int64",
  bool: "bool",
};

/**
 * A session over a graph, a model, the bytes of one, or the path of a file with external data, which
 * is then mapped and may be larger than any message.
 */
export async function openSession(
  source: Graph | Model | Uint8Array | string,
  options: SessionOptions = {},
): Promise<Session> {
  const file =
    typeof source === "string" || source instanceof Uint8Array
      ? source
      : writeModel("graph" in source ? source : modelOf(source));
  const session = await create(file, options);
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds, wanted = session.outputNames) {
      const fetches = Object.fromEntries(wanted.map((name) => [name, null]));
      const results = await session.run(toOrtAll(feeds), fetches);
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, fromOrt(value)]),
      );
    },
    close: () => session.release(),
  };
}

/** A session whose outputs are written to the caller's memory: what a training step needs. */
export async function openWritingSession(
  graph: Graph,
  options: SessionOptions = {},
): Promise<WritingSession> {
  const session = await create(writeModel(modelOf(withUnreadableOutput(graph))), options);
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames.filter((name) => name !== UNREADABLE),
    async write(feeds, into) {
      try {
        await session.run(toOrtAll(feeds), { [UNREADABLE]: null, ...toOrtAll(into) });
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    },
    close: () => session.release(),
  };
}

async function create(
  file: Uint8Array | string,
  options: SessionOptions,
): Promise<InferenceSession> {
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [...(options.providers ?? ["cpu"])],
    ...(options.threads ? { intraOpNumThreads: options.threads } : {}),
    interOpNumThreads: 1,
    enableMemPattern: options.plansMemory ?? true,
    logSeverityLevel: 3,
    graphOptimizationLevel: options.optimization ?? "all",
    ...(options.profilePrefix
      ? { enableProfiling: true, profileFilePrefix: options.profilePrefix }
      : {}),
  };
  try {
    return typeof file === "string"
      ? await InferenceSession.create(file, settings)
      : await InferenceSession.create(file, settings);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new HilumError(
      "graph-invalid",
      `ONNX Runtime refuses the model: ${reason}`,
      { reason },
      cause,
    );
  }
}

function toOrtAll(values: Readonly<Record<string, Tensor>>): Record<string, OrtTensor> {
  const all: Record<string, OrtTensor> = {};
  for (const name in values) all[name] = toOrt(values[name]!);
  return all;
}

function toOrt(value: Tensor): OrtTensor {
  const type = ORT_TYPES[value.type];
  if (!type)
    throw new HilumError("operator-unsupported", `A ${value.type} tensor cannot be fed from Node.`);
  return new OrtTensor(type as "float32", value.data as Float32Array, [...value.dims]);
}

function fromOrt(value: OrtTensor): Tensor {
  return { type: value.type as DataType, dims: value.dims, data: value.data as TypedArray };
}
