/** Which message of a file a tensor or attribute came from: it is written back as it was. */
import type { AttributeProto, TensorProto } from "./generated/onnx_pb.ts";
import type { Attribute } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

export const tensorSources = new WeakMap<Tensor, TensorProto>();
export const attributeSources = new WeakMap<Attribute, AttributeProto>();
