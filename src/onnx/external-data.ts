/** External data becomes part of the message before anything else looks at it. */
import { clearField } from "@bufbuild/protobuf";
import { HilumError } from "../errors.ts";
import { carriedLength, dataTypeOf } from "./carried.ts";
import {
  type ModelProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import { malformed, type Place, type ReadOptions } from "./malformed.ts";
import { bytesPerElement, sizeOf } from "./tensor.ts";

/** Fetches the contents of every tensor that lies outside the file, wherever in the model it is. */
export function inlineExternalData(model: ModelProto, options: ReadOptions): void {
  visitTensors(model, [], (tensor, path) => {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return;
    const place: Place = { path: `${path.join(".")} "${tensor.name}"`, options };
    tensor.rawData = externalBytes(tensor, place);
    tensor.externalData = [];
    clearField(tensor, TensorProtoSchema.field.dataLocation);
  });
}

/** Nesting is bounded by the decoder (see wire.ts). */
function visitTensors(
  message: object,
  path: string[],
  visit: (tensor: TensorProto, path: readonly string[]) => void,
): void {
  if (Reflect.get(message, "$typeName") === TensorProtoSchema.typeName)
    visit(message as TensorProto, path);
  const inside = (part: string, value: object): void => {
    path.push(part);
    visitTensors(value, path, visit);
    path.pop();
  };
  for (const [key, value] of Object.entries(message)) {
    if (Array.isArray(value)) {
      // Lists of numbers, texts and bytes hold no tensors.
      if (!isMessage(value[0])) continue;
      for (const [index, item] of value.entries()) inside(`${key}[${index}]`, item);
    } else if (isMessage(value)) inside(key, value);
  }
}

function isMessage(value: unknown): value is object {
  return typeof value === "object" && value !== null && "$typeName" in value;
}

function externalBytes(proto: TensorProto, place: Place): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  const offset = Number(entries.get("offset") ?? 0);
  const expected = expectedLength(proto);
  const length = Number(entries.get("length") ?? expected ?? Number.NaN);
  const isSound = [offset, length].every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!location || !isSound)
    return malformed(place, "its external data has no sound location, offset and length");
  if (expected !== undefined && length !== expected)
    return malformed(
      place,
      `its external data has ${length} bytes, but its shape [${proto.dims}] needs ${expected}`,
    );
  if (place.options.external) return place.options.external(location, offset, length);
  throw new HilumError(
    "model-external-data",
    `${place.options.name ?? "The model"}: ${place.path}: its values lie in "${location}". Read the model by its path, so that the file beside it is found.`,
    { place: place.path, location },
  );
}

function expectedLength(proto: TensorProto): number | undefined {
  const type = dataTypeOf(proto.dataType);
  return type ? sizeOf(proto.dims.map(Number)) * bytesPerElement(type) : carriedLength(proto);
}
