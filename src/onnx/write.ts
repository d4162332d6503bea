/** Writing ONNX files: what was read is written back field by field, the rest is made anew. */
import { create, toBinary } from "@bufbuild/protobuf";
import { HilumError } from "../errors.ts";
import { based, listed } from "./based.ts";
import { dataTypeOf } from "./carried.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";
import type { Attribute, Graph, Model, Node, ValueInfo } from "./graph.ts";
import { dimensionsOf, standardDomain } from "./read.ts";
import { ELEMENT_TYPES } from "./shapes/arithmetic.ts";
import { attributeSources } from "./source.ts";
import { type ExternalPlacement, tensorProto } from "./write-tensor.ts";

export interface WriteOptions {
  readonly place?: ExternalPlacement | undefined;
}

/** Protobuf cannot hold more; the reserve is for everything but weights. */
export const LARGEST_FILE = 2 ** 31 - 2 ** 26;

/** Bytes of all initializers of the graph. */
export function weightBytes(graph: Graph): number {
  return [...graph.initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/**
 * The bytes of an ONNX file. Throws `graph-invalid` where a value does not fit the format, and
 * `model-external-data` for weights that no single file can hold.
 */
export function writeModel(model: Model, options: WriteOptions = {}): Uint8Array {
  if (!options.place && weightBytes(model.graph) > LARGEST_FILE)
    throw new HilumError(
      "model-external-data",
      `The weights take ${weightBytes(model.graph)} bytes, and one ONNX file cannot hold them. Write the model with external data.`,
      { bytes: weightBytes(model.graph), limit: LARGEST_FILE },
    );
  try {
    return toBinary(ModelProtoSchema, modelProto(model, options));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HilumError(
      "graph-invalid",
      `The graph "${model.graph.name}" cannot be written as ONNX: ${reason}. Correct that value.`,
      { graph: model.graph.name, reason },
      cause,
    );
  }
}

function modelProto(model: Model, options: WriteOptions): ModelProto {
  const source = model.extra as ModelProto | undefined;
  return based(ModelProtoSchema, source, {
    irVersion: BigInt(model.irVersion),
    opsetImport: listed(
      source?.opsetImport,
      model.opsets,
      ({ domain, version }) => [standardDomain(domain), Number(version)],
      (domain, version) => create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    producerName: model.producer.name,
    producerVersion: model.producer.version,
    metadataProps: listed(
      source?.metadataProps,
      model.metadata,
      ({ key, value }) => [key, value],
      (key, value) => create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: graphProto(model.graph, options),
  });
}

function graphProto(graph: Graph, options: WriteOptions): GraphProto {
  const source = graph.extra as GraphProto | undefined;
  return based(GraphProtoSchema, source, {
    name: graph.name,
    node: graph.nodes.map((node) => nodeProto(node, options)),
    input: graph.inputs.map(infoProto),
    output: graph.outputs.map(infoProto),
    // Inner types and shapes can be inferred; those of a file are kept, ours are not written.
    ...(source ? { valueInfo: valueInfos(graph, source) } : {}),
    initializer: initializers(graph, source, options),
  });
}

function valueInfos(graph: Graph, source: GraphProto): ValueInfoProto[] {
  const wanted = new Map([...graph.values].map(([name, info]) => [name, infoProto(info)]));
  return listed(
    source.valueInfo,
    wanted,
    (info) => [info.name, info],
    (_, info) => info,
  );
}

/** In the file's order, with those that we do not compute with; new ones come last. */
function initializers(
  graph: Graph,
  source: GraphProto | undefined,
  { place }: WriteOptions,
): TensorProto[] {
  const left = new Map(graph.initializers);
  const kept = (source?.initializer ?? []).flatMap((proto) => {
    if (!dataTypeOf(proto.dataType)) return proto;
    const contents = left.get(proto.name);
    left.delete(proto.name);
    return contents ? tensorProto(contents, proto.name, place) : [];
  });
  return [...kept, ...[...left].map(([name, contents]) => tensorProto(contents, name, place))];
}

function nodeProto(node: Node, options: WriteOptions): NodeProto {
  const source = node.extra as NodeProto | undefined;
  return based(NodeProtoSchema, source, {
    name: node.name,
    opType: node.operator,
    domain: source?.domain === "ai.onnx" && node.domain === "" ? "ai.onnx" : node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: attributesInOrder(node, source).map(([name, value]) =>
      attributeProto(name, value, options),
    ),
  });
}

/** A record lists names that look like numbers first; a file need not. */
function attributesInOrder(node: Node, source: NodeProto | undefined): [string, Attribute][] {
  const order = new Map(source?.attribute.map(({ name }, index) => [name, index]));
  const rank = ([name]: [string, Attribute]) => order.get(name) ?? order.size;
  return Object.entries(node.attributes).sort((a, b) => rank(a) - rank(b));
}

function infoProto(info: ValueInfo): ValueInfoProto {
  const source = info.extra as ValueInfoProto | undefined;
  if (source && !isRetyped(info, source))
    return source.name === info.name
      ? source
      : based(ValueInfoProtoSchema, source, { name: info.name });
  const shape = info.shape && {
    dim: info.shape.map((dim) => ({
      value:
        typeof dim === "number"
          ? { case: "dimValue" as const, value: BigInt(dim) }
          : dim === null
            ? { case: undefined }
            : { case: "dimParam" as const, value: dim },
    })),
  };
  const type = create(TypeProtoSchema, {
    value: {
      case: "tensorType",
      value: { elemType: info.type ? ELEMENT_TYPES[info.type] : 0, ...(shape ? { shape } : {}) },
    },
  });
  return based(ValueInfoProtoSchema, source, {
    name: info.name,
    ...(info.type || shape ? { type } : {}),
  });
}

/** Whether the type or shape was changed since the value was read. */
function isRetyped(info: ValueInfo, source: ValueInfoProto): boolean {
  const type = source.type?.value;
  if (type?.case !== "tensorType") return info.type !== null || info.shape !== null;
  const dims = type.value.shape ? dimensionsOf(type.value.shape) : null;
  const isSameShape = JSON.stringify(dims) === JSON.stringify(info.shape);
  return !isSameShape || (dataTypeOf(type.value.elemType) ?? null) !== info.type;
}

function attributeProto(name: string, attribute: Attribute, options: WriteOptions): AttributeProto {
  const source = attributeSources.get(attribute);
  if (attribute.kind === "other")
    return based(AttributeProtoSchema, attribute.extra as AttributeProto, { name });
  const isNested = attribute.kind === "graph" || attribute.kind === "tensor";
  // What is immutable is as the file has it, digits beyond a double's included.
  if (source && !isNested) return based(AttributeProtoSchema, source, { name });
  return based(AttributeProtoSchema, source, { name, ...attributeValue(attribute, options) });
}

const TEXT = new TextEncoder();

function attributeValue(
  attribute: Exclude<Attribute, { kind: "other" }>,
  options: WriteOptions,
): Partial<AttributeProto> {
  switch (attribute.kind) {
    case "float":
      return { type: AttributeType.FLOAT, f: attribute.value };
    case "int":
      return { type: AttributeType.INT, i: integer64(attribute.value) };
    case "string":
      return { type: AttributeType.STRING, s: TEXT.encode(attribute.value) };
    case "tensor":
      return { type: AttributeType.TENSOR, t: tensorProto(attribute.value) };
    case "graph":
      return { type: AttributeType.GRAPH, g: graphProto(attribute.value, options) };
    case "floats":
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case "ints":
      return { type: AttributeType.INTS, ints: attribute.value.map(integer64) };
    case "strings":
      return {
        type: AttributeType.STRINGS,
        strings: attribute.value.map((text) => TEXT.encode(text)),
      };
  }
}

/** The largest 64-bit integer, which stands for "to the end", is no double: it must not overflow. */
function integer64(value: number): bigint {
  const exact = BigInt(value);
  return exact >= 2n ** 63n ? 2n ** 63n - 1n : exact;
}
