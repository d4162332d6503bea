/**
 * An ONNX graph as frozen data. Nodes name their inputs and outputs; whoever changes a graph makes
 * a new one. `extra` fields carry, untouched, what a file holds beyond what we model, so that
 * reading and writing a file loses nothing. Read next: build.ts, which makes graphs, and read.ts.
 */
import type { DataType, Tensor } from "./tensor.ts";

/** A dimension is a number, the name of a symbol ("N"), or null where nothing is known. */
export type Dimension = number | string | null;
export type Shape = readonly Dimension[];

export type Attribute =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "other"; readonly extra: unknown };

export interface Node {
  readonly name: string;
  readonly operator: string;
  /** "" is the standard's own domain. */
  readonly domain: string;
  /** Names of values; "" stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly extra?: unknown;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: DataType | null;
  /** Null where the rank is unknown. */
  readonly shape: Shape | null;
  readonly extra?: unknown;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Types and shapes of inner values, as far as they are known. */
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly extra?: unknown;
}

export interface Model {
  readonly graph: Graph;
  /** Operator set version by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: ReadonlyMap<string, string>;
  readonly extra?: unknown;
}

/** What we write; ONNX Runtime 1.30 runs it with all of its fast paths. */
export const CURRENT_OPSET = 22;
export const CURRENT_IR_VERSION = 10;

/** ONNX Runtime's own operators on channel-blocked tensors: operators/blocked.ts. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** A model of the graph in the standard's current operator set, with further domains as named. */
export function modelOf(
  graph: Graph,
  options: { metadata?: ReadonlyMap<string, string>; domains?: ReadonlyMap<string, number> } = {},
): Model {
  const isBlocked = graph.nodes.some(({ domain }) => domain === BLOCKED_DOMAIN);
  return {
    graph,
    opsets: new Map([
      ["", CURRENT_OPSET],
      ...(isBlocked ? [[BLOCKED_DOMAIN, 1] as const] : []),
      ...(options.domains ?? []),
    ]),
    irVersion: CURRENT_IR_VERSION,
    producer: { name: "hilum", version: "" },
    metadata: options.metadata ?? new Map(),
  };
}

export const float = (value: number): Attribute => ({ kind: "float", value });
export const int = (value: number): Attribute => ({ kind: "int", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value });
export const string = (value: string): Attribute => ({ kind: "string", value });

export type Attributes = Readonly<Record<string, Attribute>>;

export function intOf(attributes: Attributes, name: string, fallback: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "int" ? attribute.value : fallback;
}

export function floatOf(attributes: Attributes, name: string, fallback: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "float" ? attribute.value : fallback;
}

export function intsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

export function stringOf(attributes: Attributes, name: string, fallback: string): string {
  const attribute = attributes[name];
  return attribute?.kind === "string" ? attribute.value : fallback;
}
