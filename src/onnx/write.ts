/** Writing ONNX files: what was read is written back field by field, the rest is made anew. */
import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
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
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";
import type { Attribute, Graph, Model, Node, ValueInfo } from "./graph.ts";
import { dataTypeOf } from "./read-tensor.ts";
import { ELEMENT_TYPES } from "./shapes/arithmetic.ts";
import { attributeSources, tensorSources } from "./source.ts";
import { type Tensor, tensorBytes } from "./tensor.ts";

/** Where a tensor's bytes go when they are not to lie in the model file; undefined keeps them in. */
export type ExternalPlacement = (
  name: string,
  bytes: Uint8Array,
) => { readonly location: string; readonly offset: number } | undefined;

export interface WriteOptions {
  readonly place?: ExternalPlacement | undefined;
}

/** The bytes of an ONNX file. */
export function writeModel(model: Model, options: WriteOptions = {}): Uint8Array {
  return toBinary(ModelProtoSchema, modelProto(model, options));
}

function modelProto(model: Model, options: WriteOptions): ModelProto {
  return based(ModelProtoSchema, model.extra as ModelProto | undefined, {
    irVersion: BigInt(model.irVersion),
    opsetImport: [...model.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    producerName: model.producer.name,
    producerVersion: model.producer.version,
    metadataProps: [...model.metadata].map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: graphProto(model.graph, options),
  });
}

function graphProto(graph: Graph, options: WriteOptions): GraphProto {
  const source = graph.extra as GraphProto | undefined;
  const carried = (source?.initializer ?? []).filter(({ dataType }) => !dataTypeOf(dataType));
  return based(GraphProtoSchema, source, {
    name: graph.name,
    node: graph.nodes.map((node) => nodeProto(node, options)),
    input: graph.inputs.map(infoProto),
    output: graph.outputs.map(infoProto),
    // Inner types and shapes can be inferred; those of a file are kept, ours are not written.
    ...(source ? { valueInfo: [...graph.values.values()].map(infoProto) } : {}),
    initializer: [
      ...[...graph.initializers].map(([name, contents]) => tensorProto(contents, name, options)),
      ...carried,
    ],
  });
}

function nodeProto(node: Node, options: WriteOptions): NodeProto {
  const source = node.extra as NodeProto | undefined;
  return based(NodeProtoSchema, source, {
    name: node.name,
    opType: node.operator,
    domain: source?.domain === "ai.onnx" && node.domain === "" ? "ai.onnx" : node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, value]) =>
      attributeProto(name, value, options),
    ),
  });
}

function infoProto(info: ValueInfo): ValueInfoProto {
  if (info.extra && !isRetyped(info))
    return based(ValueInfoProtoSchema, info.extra as ValueInfoProto, { name: info.name });
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
  return create(ValueInfoProtoSchema, {
    name: info.name,
    type: {
      value: {
        case: "tensorType",
        value: { elemType: info.type ? ELEMENT_TYPES[info.type] : 0, ...(shape ? { shape } : {}) },
      },
    },
  });
}

/** Whether the type or shape was changed since the value was read. */
function isRetyped(info: ValueInfo): boolean {
  const type = (info.extra as ValueInfoProto).type?.value;
  if (type?.case !== "tensorType") return info.type !== null;
  const dims = type.value.shape?.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : (value.value ?? null),
  );
  const isSameShape = JSON.stringify(dims ?? null) === JSON.stringify(info.shape);
  return !isSameShape || (dataTypeOf(type.value.elemType) ?? null) !== info.type;
}

function tensorProto(contents: Tensor, name: string, options: WriteOptions): TensorProto {
  const source = tensorSources.get(contents);
  const bytes = tensorBytes(contents);
  const placed = options.place?.(name, bytes);
  const isInline = source?.dataLocation !== TensorProto_DataLocation.EXTERNAL;
  if (source && isInline && !placed) return based(TensorProtoSchema, source, { name });
  const proto = based(TensorProtoSchema, undefined, {
    name,
    dims: contents.dims.map(BigInt),
    dataType: ELEMENT_TYPES[contents.type],
  });
  if (!placed) return Object.assign(proto, { rawData: bytes });
  const entries = { location: placed.location, offset: placed.offset, length: bytes.length };
  return Object.assign(proto, {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    ),
  });
}

function attributeProto(name: string, attribute: Attribute, options: WriteOptions): AttributeProto {
  const source = attributeSources.get(attribute);
  if (source && attribute.kind !== "graph") return source;
  if (attribute.kind === "other") return attribute.extra as AttributeProto;
  const value = attributeValue(attribute, options);
  return source
    ? Object.assign({ ...source }, value)
    : create(AttributeProtoSchema, { name, ...value });
}

const TEXT = new TextEncoder();

function attributeValue(
  attribute: Exclude<Attribute, { kind: "other" }>,
  options: WriteOptions,
): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attribute.kind) {
    case "float":
      return { type: AttributeType.FLOAT, f: attribute.value };
    case "int":
      return { type: AttributeType.INT, i: BigInt(attribute.value) };
    case "string":
      return { type: AttributeType.STRING, s: TEXT.encode(attribute.value) };
    case "tensor":
      return { type: AttributeType.TENSOR, t: tensorProto(attribute.value, "", {}) };
    case "graph":
      return { type: AttributeType.GRAPH, g: graphProto(attribute.value, options) };
    case "floats":
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case "ints":
      return { type: AttributeType.INTS, ints: attribute.value.map(BigInt) };
    case "strings":
      return {
        type: AttributeType.STRINGS,
        strings: attribute.value.map((text) => TEXT.encode(text)),
      };
  }
}

/** A message with these fields, and all others as in `source`; absent empty fields stay absent. */
function based<Schema extends DescMessage>(
  schema: Schema,
  source: MessageShape<Schema> | undefined,
  fields: Partial<MessageShape<Schema>>,
): MessageShape<Schema> {
  const message = Object.assign(create(schema), source ?? {});
  for (const [key, value] of Object.entries(fields)) {
    const current = Reflect.get(message, key);
    if (current !== value && !(Array.isArray(value) && value.length === 0 && !source))
      Reflect.set(message, key, value);
  }
  return message;
}
