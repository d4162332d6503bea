/**
 * Reading ONNX files. What we model becomes frozen data; the message it came from stays beside it
 * (`extra`, source.ts), so that writing loses nothing. Next: validate.ts, write.ts.
 */
import { fromBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from "./generated/onnx_pb.ts";
import type { Attribute, Dimension, Graph, Model, Node, ValueInfo } from "./graph.ts";
import { malformed, type Place, type ReadOptions } from "./malformed.ts";
import { dataTypeOf, readTensor } from "./read-tensor.ts";
import { attributeSources } from "./source.ts";
import type { Tensor } from "./tensor.ts";
import { validateGraph } from "./validate.ts";

/** The model in the bytes of an ONNX file. Throws `model-malformed` and `model-external-data`. */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const proto = decode(bytes, options);
  const place: Place = { path: "graph", options };
  if (!proto.graph) return malformed(place, "the file holds no graph");
  const graph = readGraph(proto.graph, place);
  const model: Model = {
    graph,
    opsets: new Map(proto.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
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

const at = (place: Place, part: string): Place => ({ ...place, path: `${place.path}.${part}` });

function readGraph(proto: GraphProto, place: Place): Graph {
  const initializers = new Map<string, Tensor>();
  proto.initializer.forEach((initializer, index) => {
    const where = at(place, `initializer[${index}] "${initializer.name}"`);
    if (initializers.has(initializer.name)) malformed(where, "the name occurs twice");
    const contents = readTensor(initializer, where);
    if (contents) initializers.set(initializer.name, contents);
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
  const dims = shape?.dim.map(({ value }): Dimension => {
    if (value.case === "dimParam") return value.value;
    if (value.case !== "dimValue") return null;
    const size = Number(value.value);
    if (size < 0 || !Number.isSafeInteger(size))
      malformed(place, `"${proto.name}" has a dimension of ${value.value}`);
    return size;
  });
  return {
    name: proto.name,
    type: dataTypeOf(elemType) ?? null,
    shape: dims ?? null,
    extra: proto,
  };
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
    domain: proto.domain === "ai.onnx" ? "" : proto.domain,
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
