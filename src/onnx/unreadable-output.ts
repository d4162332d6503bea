/**
 * An output that onnxruntime-node cannot hand to JavaScript, asked for first.
 *
 * A run writes outputs to memory that the caller gave, but onnxruntime-node 1.30 then copies each of
 * them once more, into a fresh array that nobody needs: 27 ms for 51 MB, of which writing them took
 * 3 ms. It does so output by output, in order, and refuses a sequence ("Non tensor type ..."). With
 * a sequence as the first output it has nothing left to do once the memory is written.
 */
import { create } from "@bufbuild/protobuf";
import { ValueInfoProtoSchema } from "./generated/onnx_pb.ts";
import type { Graph } from "./graph.ts";

export const UNREADABLE = "hilum:unreadable";

/** The graph with an empty sequence as its first output. */
export function withUnreadableOutput(graph: Graph): Graph {
  const extra = create(ValueInfoProtoSchema, {
    name: UNREADABLE,
    type: {
      value: {
        case: "sequenceType",
        value: { elemType: { value: { case: "tensorType", value: { elemType: 1 } } } },
      },
    },
  });
  const node = {
    name: UNREADABLE,
    operator: "SequenceEmpty",
    domain: "",
    inputs: [],
    outputs: [UNREADABLE],
    attributes: {},
  };
  return {
    ...graph,
    nodes: [...graph.nodes, node],
    outputs: [{ name: UNREADABLE, type: null, shape: null, extra }, ...graph.outputs],
  };
}

/** Whether a run failed only because the unreadable output cannot be read: all else is written. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Non tensor type");
}
