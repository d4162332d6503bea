/**
 * Reading ONNX files. What we model becomes frozen data; the message it came from stays beside it
 * (`extra`, source.ts), so that writing loses nothing. Next: validate.ts, write.ts.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { dataTypeOf } from "./carried.ts";
import { inlineExternalData } from "./external-data.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorShapeProto,
  type ValueInfoProto,
} from "./generated/onnx_pb.ts";
import type { Attribute, Dimension, Graph, Model, Node, ValueInfo } from "./graph.ts";
import { malformed, type Place, type ReadOptions } from "./malformed.ts";
import { readTensor } from "./read-tensor.ts";
import { attributeSources } from "./source.ts";
import type { Tensor } from "./tensor.ts";
import { validateGraph } from "./validate.ts";
import { checkWire } from "./wire.ts";

/** The model in the bytes of an ONNX file. Throws `model-malformed` and `model-external-data`. */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const proto = decode(bytes, options);
  const place: Place = { path: "graph", options };
  if (!proto.graph) return malformed(place, "the file holds no graph");
  inlineExternalData(proto, options);
  const graph = readGraph(proto.graph, place);
  const model: Model = {
    graph,
    opsets: new Map(
      proto.opsetImport.map(({ domain, version }) => [standardDomain(domain), Number(version)]),
    ),
    irVersion: Number(proto.irVersion),
    producer: { name: proto.producerName, version: proto.producerVersion },
    metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
    extra: proto,
  };
  validateGraph(graph, options.name);
  return model;
}

function decode(bytes: Uint8Array, options: ReadOptions): ModelProto {
  if (bytes.length === 0) malformed({ path: "file", options }, "it is empty");
  checkWire(bytes, ModelProtoSchema, options);
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return malformed(
      { path: "file", options },
      `it is not a whole protobuf message (${reason})`,
      cause,
    );
  }
}

/** "ai.onnx" is another name of the standard's own domain. */
export const standardDomain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

const at = (place: Place, part: string): Place => ({ ...place, path: `${place.path}.${part}` });

function readGraph(proto: GraphProto, place: Place): Graph {
  const initializers = new Map<string, Tensor>();
  const names = new Set<string>();
  proto.initializer.forEach((initializer, index) => {
    const where = at(place, `initializer[${index}] "${initializer.name}"`);
    if (names.has(initializer.name)) malformed(where, "the name occurs twice");
    names.add(initializer.name);
    const contents = readTensor(initializer, where);
    if (contents) initializers.set(initializer.name, contents);
  });
  proto.sparseInitializer.forEach(({ values, indices }, index) => {
    const where = at(place, `sparse_initializer[${index}] "${values?.name ?? ""}"`);
    for (const part of [values, indices]) if (part) readTensor(part, where);
  });
  const infos = proto.valueInfo.map((info, index) =>
    readInfo(info, at(place, `value_info[${index}]`)),
  );
  return {
    name: proto.name,
    nodes: proto.node.map((node, index) => readNode(node, at(place, `node[${index}]`))),
    inputs: proto.input.map((info, index) => readInfo(info, at(place, `input[${index}]`))),
    outputs: proto.output.map((info, index) => readInfo(info, at(place, `output[${index}]`))),
    initializers,
    values: new Map(infos.map((info) => [info.name, info])),
    extra: proto,
  };
}

function readInfo(proto: ValueInfoProto, place: Place): ValueInfo {
  const type = proto.type?.value;
  if (type?.case !== "tensorType")
    return { name: proto.name, type: null, shape: null, extra: proto };
  const { elemType, shape } = type.value;
  const dims = shape && dimensionsOf(shape);
  if (dims?.some((dim) => typeof dim === "number" && !(dim >= 0 && Number.isSafeInteger(dim))))
    malformed(place, `"${proto.name}" has a shape of [${dims}]`);
  return {
    name: proto.name,
    type: dataTypeOf(elemType) ?? null,
    shape: dims ?? null,
    extra: proto,
  };
}

/** Dimensions as the file has them; -1, which some exporters write, and "" are unknown ones. */
export function dimensionsOf({ dim }: TensorShapeProto): Dimension[] {
  return dim.map(({ value }) => {
    if (value.case === "dimParam") return value.value || null;
    return value.case === undefined || value.value === -1n ? null : Number(value.value);
  });
}

function readNode(proto: NodeProto, place: Place): Node {
  const where = { ...place, path: `${place.path} (${proto.opType} "${proto.name}")` };
  if (proto.opType === "") malformed(where, "it names no operator");
  const attributes: Record<string, Attribute> = {};
  for (const attribute of proto.attribute) {
    if (Object.hasOwn(attributes, attribute.name))
      malformed(where, `attribute "${attribute.name}" occurs twice`);
    // Not an assignment: a file may well call an attribute "__proto__".
    Object.defineProperty(attributes, attribute.name, {
      value: readAttribute(attribute, at(where, attribute.name)),
      enumerable: true,
    });
  }
  return {
    name: proto.name,
    operator: proto.opType,
    domain: standardDomain(proto.domain),
    inputs: proto.input,
    outputs: proto.output,
    attributes,
    extra: proto,
  };
}

function readAttribute(proto: AttributeProto, place: Place): Attribute {
  const attribute = readAttributeValue(proto, place) ?? { kind: "other", extra: proto };
  attributeSources.set(attribute, proto);
  return attribute;
}

const TEXT = new TextDecoder();

function readAttributeValue(proto: AttributeProto, place: Place): Attribute | undefined {
  if (proto.refAttrName !== "") return undefined;
  switch (proto.type) {
    case AttributeType.FLOAT:
      return { kind: "float", value: proto.f };
    case AttributeType.INT:
      return { kind: "int", value: Number(proto.i) };
    case AttributeType.STRING:
      return { kind: "string", value: TEXT.decode(proto.s) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: proto.floats };
    case AttributeType.INTS:
      return { kind: "ints", value: proto.ints.map(Number) };
    case AttributeType.STRINGS:
      return { kind: "strings", value: proto.strings.map((bytes) => TEXT.decode(bytes)) };
    case AttributeType.TENSOR: {
      const value = proto.t ? readTensor(proto.t, place) : undefined;
      return value && { kind: "tensor", value };
    }
    case AttributeType.GRAPH:
      return proto.g && { kind: "graph", value: readGraph(proto.g, place) };
    default:
      return undefined;
  }
}
