/**
 * Tensors of element types that we do not compute with (strings, complex numbers, four-bit and
 * eight-bit floats) and sparse ones: they stay as the file has them and are only measured here.
 */
import type { GraphProto, TensorProto } from "./generated/onnx_pb.ts";
import type { Graph } from "./graph.ts";
import { malformed, type Place } from "./malformed.ts";
import { ELEMENT_TYPES } from "./shapes/arithmetic.ts";
import { DATA_TYPES, type DataType, sizeOf } from "./tensor.ts";

const STRING = 8;
const COMPLEX64 = 14;
const COMPLEX128 = 15;

/** Bits of an element by TensorProto.DataType. Source: onnx.proto. */
const BITS: Readonly<Record<number, number>> = {
  [COMPLEX64]: 64,
  [COMPLEX128]: 128,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
  24: 8,
  25: 2,
  26: 2,
  27: 6,
  28: 6,
};

/** Our name of the standard's element type, or undefined where we do not compute with it. */
export function dataTypeOf(elementType: number): DataType | undefined {
  return DATA_TYPES.find((type) => ELEMENT_TYPES[type] === elementType);
}

/** Bytes that the elements take when they are packed, or undefined where the file alone knows. */
export function carriedLength(proto: TensorProto): number | undefined {
  const bits = BITS[proto.dataType];
  return bits && Math.ceil((bits * sizeOf(proto.dims.map(Number))) / 8);
}

/** Throws `model-malformed` where the contents do not fill the dimensions. */
export function checkCarried(proto: TensorProto, place: Place): void {
  const expected =
    proto.dataType === STRING ? sizeOf(proto.dims.map(Number)) : carriedLength(proto);
  if (expected === undefined) return;
  const there = proto.dataType === STRING ? proto.stringData.length : packedBytes(proto).length;
  if (there !== expected)
    malformed(
      place,
      `element type ${proto.dataType} of shape [${proto.dims}] needs ${expected} ${proto.dataType === STRING ? "texts" : "bytes"}, but there are ${there}`,
    );
}

/** The elements as raw data has them, however the file stores them; equal for equal contents. */
export function packedBytes(proto: TensorProto): Uint8Array {
  if (proto.dataType === STRING) return lengthPrefixed(proto.stringData);
  if (proto.rawData.length > 0) return proto.rawData;
  if (proto.dataType === COMPLEX64)
    return new Uint8Array(Float32Array.from(proto.floatData).buffer);
  if (proto.dataType === COMPLEX128)
    return new Uint8Array(Float64Array.from(proto.doubleData).buffer);
  return BITS[proto.dataType] === 6
    ? packSixBits(proto.int32Data)
    : Uint8Array.from(proto.int32Data);
}

function lengthPrefixed(texts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  const view = new DataView(result.buffer);
  let offset = 0;
  for (const text of texts) {
    view.setUint32(offset, text.length, true);
    result.set(text, offset + 4);
    offset += 4 + text.length;
  }
  return result;
}

/** One after the other from the lowest bit on, as raw data has the six-bit floats. */
function packSixBits(values: readonly number[]): Uint8Array {
  const result = new Uint8Array(Math.ceil((values.length * 6) / 8));
  values.forEach((value, index) => {
    const shifted = (value & 0x3f) << ((index * 6) % 8);
    const byte = Math.floor((index * 6) / 8);
    result[byte]! |= shifted;
    if (byte + 1 < result.length) result[byte + 1]! |= shifted >> 8;
  });
  return result;
}

export interface CarriedInitializer {
  readonly name: string;
  readonly tensors: readonly TensorProto[];
  readonly dims: readonly bigint[];
  readonly isSparse: boolean;
}

/** Initializers that the graph holds beside `initializers`: sparse ones and unusual types. */
export function carriedInitializers(graph: Graph): CarriedInitializer[] {
  const proto = graph.extra as GraphProto | undefined;
  if (!proto) return [];
  const dense = proto.initializer
    .filter(({ dataType }) => !dataTypeOf(dataType))
    .map((tensor) => ({
      name: tensor.name,
      tensors: [tensor],
      dims: tensor.dims,
      isSparse: false,
    }));
  const sparse = proto.sparseInitializer.map(({ values, indices, dims }) => ({
    name: values?.name ?? "",
    tensors: [values, indices].flatMap((tensor) => tensor ?? []),
    dims,
    isSparse: true,
  }));
  return [...dense, ...sparse];
}
