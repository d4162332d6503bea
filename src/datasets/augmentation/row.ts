/** Reading the rows of drawn numbers inside the graph. */
import { operators as op, type Value } from "../../onnx/index.ts";
import { COLUMNS, type Column } from "./draw.ts";

/** One column of the rows, `[N, 1, 1, 1]`. */
export function column(rows: Value, name: Column): Value {
  const index = COLUMNS.indexOf(name);
  return op.reshape(op.slice(rows, [{ axis: 1, start: index, end: index + 1 }]), [-1, 1, 1, 1]);
}
