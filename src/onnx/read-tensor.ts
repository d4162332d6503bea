/** Tensors of ONNX files: raw bytes or typed fields become typed arrays. */
import { checkCarried, dataTypeOf } from "./carried.ts";
import type { TensorProto } from "./generated/onnx_pb.ts";
import { malformed, type Place } from "./malformed.ts";
import { tensorSources } from "./source.ts";
import {
  allocate,
  bytesPerElement,
  type DataType,
  sizeOf,
  type Tensor,
  type TypedArray,
  tensorBytes,
  viewBytes,
} from "./tensor.ts";

/** The tensor, or undefined where its element type is one that we only carry through. */
export function readTensor(proto: TensorProto, place: Place): Tensor | undefined {
  const dims = proto.dims.map(Number);
  if (dims.some((dim) => dim < 0 || !Number.isSafeInteger(dim)))
    malformed(place, `a dimension of [${proto.dims}] is out of range`);
  const type = dataTypeOf(proto.dataType);
  if (!type) {
    checkCarried(proto, place);
    return undefined;
  }
  const result: Tensor = { type, dims, data: contents(proto, type, sizeOf(dims), place) };
  // Where alignment forced a copy, the copy is kept and the file's own bytes can go.
  if (proto.rawData.length > 0) proto.rawData = tensorBytes(result);
  tensorSources.set(result, proto);
  return result;
}

function contents(proto: TensorProto, type: DataType, size: number, place: Place): TypedArray {
  const length = size * bytesPerElement(type);
  const bytes = proto.rawData;
  if (bytes.length > 0 || size === 0) {
    if (bytes.length !== length)
      malformed(
        place,
        `${type} of shape [${proto.dims}] needs ${length} bytes, but there are ${bytes.length}`,
      );
    return viewBytes(type, bytes);
  }
  const values = typedValues(proto, type, size);
  return (
    values ??
    malformed(
      place,
      `${type} of shape [${proto.dims}] needs ${size} values, but there are ${typedField(proto, type).length}`,
    )
  );
}

/** The values of a tensor that has no raw bytes, or undefined where there are not `size` of them. */
export function typedValues(
  proto: TensorProto,
  type: DataType,
  size: number,
): TypedArray | undefined {
  const values = typedField(proto, type);
  if (values.length !== size) return undefined;
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
