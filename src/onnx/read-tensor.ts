/** Tensors of ONNX files: raw bytes, typed fields or external data become typed arrays. */
import { HilumError } from "../errors.ts";
import { type TensorProto, TensorProto_DataLocation } from "./generated/onnx_pb.ts";
import { malformed, type Place } from "./malformed.ts";
import { ELEMENT_TYPES } from "./shapes/arithmetic.ts";
import { tensorSources } from "./source.ts";
import {
  allocate,
  bytesPerElement,
  DATA_TYPES,
  type DataType,
  sizeOf,
  type Tensor,
  type TypedArray,
  viewBytes,
} from "./tensor.ts";

/** Our name of the standard's element type, or undefined where we do not compute with it. */
export function dataTypeOf(elementType: number): DataType | undefined {
  return DATA_TYPES.find((type) => ELEMENT_TYPES[type] === elementType);
}

/** The tensor, or undefined where its element type is one that we only carry through. */
export function readTensor(proto: TensorProto, place: Place): Tensor | undefined {
  const type = dataTypeOf(proto.dataType);
  if (!type) return undefined;
  const dims = proto.dims.map(Number);
  if (dims.some((dim) => dim < 0 || !Number.isSafeInteger(dim)))
    malformed(place, `a dimension of [${proto.dims}] is out of range`);
  const result: Tensor = { type, dims, data: contents(proto, type, sizeOf(dims), place) };
  tensorSources.set(result, proto);
  return result;
}

function contents(proto: TensorProto, type: DataType, size: number, place: Place): TypedArray {
  const length = size * bytesPerElement(type);
  const bytes =
    proto.dataLocation === TensorProto_DataLocation.EXTERNAL
      ? externalBytes(proto, length, place)
      : proto.rawData;
  const isRaw = bytes.length > 0 || size === 0;
  if (isRaw) {
    if (bytes.length !== length)
      malformed(
        place,
        `${type} of shape [${proto.dims}] needs ${length} bytes, but there are ${bytes.length}`,
      );
    return viewBytes(type, bytes);
  }
  const values = typedField(proto, type);
  if (values.length !== size)
    malformed(
      place,
      `${type} of shape [${proto.dims}] needs ${size} values, but there are ${values.length}`,
    );
  const result = allocate(type, size);
  for (let index = 0; index < size; index++) result[index] = values[index]!;
  return result;
}

/** The field that holds a type's values when they are not raw. Source: onnx.proto, TensorProto. */
function typedField(proto: TensorProto, type: DataType): ArrayLike<number | bigint> {
  if (type === "float32") return proto.floatData;
  if (type === "float64") return proto.doubleData;
  if (type === "int64") return proto.int64Data;
  if (type === "uint64") return proto.uint64Data;
  return type === "uint32" ? proto.uint64Data.map(Number) : proto.int32Data;
}

function externalBytes(proto: TensorProto, expected: number, place: Place): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? expected);
  const isSound = location && [offset, length].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isSound)
    return malformed(place, "its external data has no sound location, offset and length");
  if (length !== expected)
    return malformed(
      place,
      `its external data has ${length} bytes, but its shape needs ${expected}`,
    );
  if (place.options.external) return place.options.external(location, offset, length);
  throw new HilumError(
    "model-external-data",
    `${place.options.name ?? "The model"}: ${place.path}: its values lie in "${location}". Read the model by its path, so that the file beside it is found.`,
    { place: place.path, location },
  );
}
