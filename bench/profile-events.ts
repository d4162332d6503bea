/** Reads what ONNX Runtime's profiler wrote: time per operator type and per node. */
import { readFileSync } from "node:fs";

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly provider?: string;
    readonly input_type_shape?: readonly TypeAndShape[];
    readonly output_type_shape?: readonly TypeAndShape[];
  };
}

type TypeAndShape = Readonly<Record<string, readonly number[]>>;

export interface NodeTime {
  readonly operator: string;
  readonly name: string;
  readonly milliseconds: number;
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  /** Of convolutions and matrix products, else null. */
  readonly gigaflops: number | null;
}

export interface OperatorTime {
  readonly operator: string;
  readonly nodes: number;
  readonly milliseconds: number;
  readonly share: number;
}

export interface StepProfile {
  /** Mean of a run of the graph. */
  readonly stepMilliseconds: number;
  readonly steps: number;
  readonly operators: readonly OperatorTime[];
  /** Dearest first. */
  readonly nodes: readonly NodeTime[];
}

const NODE_SUFFIX = "_kernel_time";

/** Means over the last `steps` runs in a profile file; earlier runs were warming up. */
export function readProfile(file: string, steps: number): StepProfile {
  const events = JSON.parse(readFileSync(file, "utf8")) as readonly ProfileEvent[];
  const runs = events.filter(({ name }) => name === "model_run").slice(-steps);
  const from = Math.min(...runs.map(({ ts }) => ts));
  const measured = events.filter(
    ({ cat, name, ts }) => cat === "Node" && name.endsWith(NODE_SUFFIX) && ts >= from,
  );
  const byName = grouped(measured, ({ name }) => name.slice(0, -NODE_SUFFIX.length));
  const nodes = [...byName]
    .map(([name, same]) => nodeTime(name, same, runs.length))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
  const stepMilliseconds = sum(runs.map(({ dur }) => dur)) / 1000 / runs.length;
  const operators = [...grouped(nodes, ({ operator }) => operator)]
    .map(([operator, same]) => {
      const milliseconds = sum(same.map((node) => node.milliseconds));
      return { operator, nodes: same.length, milliseconds, share: milliseconds / stepMilliseconds };
    })
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
  return { stepMilliseconds, steps: runs.length, operators, nodes };
}

function nodeTime(name: string, events: readonly ProfileEvent[], steps: number): NodeTime {
  const milliseconds = sum(events.map(({ dur }) => dur)) / 1000 / steps;
  const { op_name, input_type_shape, output_type_shape } = events[0]!.args;
  const operator = op_name ?? "unknown";
  const inputs = shapesOf(input_type_shape);
  const outputs = shapesOf(output_type_shape);
  const operations = operationsOf(operator, inputs, outputs);
  const gigaflops = operations === null ? null : operations / 1e6 / milliseconds;
  return { operator, name, milliseconds, inputs, outputs, gigaflops };
}

const shapesOf = (values: readonly TypeAndShape[] = []) =>
  values.map((value) => Object.values(value)[0] ?? []);

/** Floating-point operations: two per multiplication with its addition. */
function operationsOf(
  operator: string,
  [a, b]: readonly (readonly number[])[],
  [out]: readonly (readonly number[])[],
): number | null {
  if (!a || !b || !out) return null;
  if (/^(Fused|NhwcFused)?Conv$/.test(operator)) return 2 * size(out) * size(b.slice(1));
  if (!/^((Fused)?MatMul|(Fused)?Gemm)$/.test(operator)) return null;
  // The product of the three matrices' sizes is (M K N)^2, whichever of them are transposed.
  const matrices = [a, b, out].map((dims) => size(dims.slice(-2)));
  return 2 * Math.sqrt(matrices.reduce((x, y) => x * y, 1)) * size(out.slice(0, -2));
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
