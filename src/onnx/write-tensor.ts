/** Tensors of ONNX files: raw bytes, or as the file had them that they came from. */
import { create } from "@bufbuild/protobuf";
import { based } from "./based.ts";
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import { typedValues } from "./read-tensor.ts";
import { ELEMENT_TYPES } from "./shapes/arithmetic.ts";
import { tensorSources } from "./source.ts";
import { type Tensor, tensorBytes } from "./tensor.ts";

/** Where a tensor's bytes go when they are not to lie in the model file; undefined keeps them in. */
export type ExternalPlacement = (
  name: string,
  bytes: Uint8Array,
) => { readonly location: string; readonly offset: number } | undefined;

/** The message of a tensor; without a name, that of the file is kept. */
export function tensorProto(
  contents: Tensor,
  name?: string,
  placement?: ExternalPlacement,
): TensorProto {
  const source = tensorSources.get(contents);
  const bytes = tensorBytes(contents);
  const named = name === undefined ? {} : { name };
  const placed = placement?.(name ?? "", bytes);
  if (source && !placed && isTyped(source, contents))
    return based(TensorProtoSchema, source, named);
  const fields = {
    ...named,
    dims: contents.dims.map(BigInt),
    dataType: ELEMENT_TYPES[contents.type],
    floatData: [],
    int32Data: [],
    int64Data: [],
    doubleData: [],
    uint64Data: [],
  };
  if (!placed) return based(TensorProtoSchema, source, { ...fields, rawData: bytes });
  const entries = { location: placed.location, offset: placed.offset, length: bytes.length };
  return based(
    TensorProtoSchema,
    source,
    {
      ...fields,
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value: String(value) }),
      ),
    },
    ["rawData"],
  );
}

/** Whether the file kept the values in a typed field (or had none), and they are still the same. */
function isTyped(source: TensorProto, { type, dims, data }: Tensor): boolean {
  if (Object.hasOwn(source, "rawData")) return false;
  if (String(source.dims) !== String(dims) || source.dataType !== ELEMENT_TYPES[type]) return false;
  const asRead = typedValues(source, type, data.length);
  if (!asRead) return false;
  const before = tensorBytes({ type, dims, data: asRead });
  return tensorBytes({ type, dims, data }).every((byte, index) => byte === before[index]);
}
