/** Squared distances between many rows and a few, by one matrix product. */
import { openSession } from "../../onnx/index.node.ts";
import { float32, graphBuilder, operators as op, type Value } from "../../onnx/index.ts";

export interface RowDistances {
  /** Squared, from every row to each of `others`: `[rows, others]`, row by row. */
  to(others: readonly Float32Array[]): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Of rows about 0: |a - b|^2 is |a|^2 - 2ab + |b|^2, which loses digits far from there. */
export async function openDistances(rows: readonly Float32Array[]): Promise<RowDistances> {
  const width = rows[0]!.length;
  const builder = graphBuilder();
  const known = builder.constant(flat(rows));
  const others = builder.input("others", "float32", ["K", width]);
  const squares = (value: Value) => op.reduceSumSquare(value, { axes: [1] });
  const products = op.matMul(known, op.transpose(others, [1, 0]));
  const sums = op.add(squares(known), op.transpose(squares(others), [1, 0]));
  const squared = op.sub(sums, op.mul(products, builder.scalar(2)));
  builder.output(op.relu(squared), "distances");
  const session = await openSession(builder.build("distances"));
  return {
    async to(given) {
      const { distances } = await session.run({ others: flat(given) });
      return distances!.data as Float32Array;
    },
    close: () => session.close(),
  };
}

function flat(rows: readonly Float32Array[]) {
  const width = rows[0]!.length;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    data.set(row, index * width);
  });
  return float32([rows.length, width], data);
}
