/**
 * Runs a training graph. Every state tensor exists twice: a step reads one set and writes the
 * other, then the two change places, so that no weight is ever copied.
 */
import { CONTROLS, type Control, nextName, type TrainingGraph } from "../autodiff/index.ts";
import { assert, HilumError } from "../errors.ts";
import { openWritingSession, type WritingSession } from "../onnx/index.node.ts";
import { allocate, type Graph, sizeOf, type Tensor } from "../onnx/index.ts";

export type Feeds = Readonly<Record<string, Tensor>>;

export interface Trainer {
  /**
   * One step: as many feeds as the graph has micro-batches (one, mostly). Returns the last one's
   * outputs; an output `loss` is the mean over all of them.
   */
  step(
    feeds: Feeds | readonly Feeds[],
    controls: Readonly<Partial<Record<Control, number>>>,
  ): Promise<Record<string, Tensor>>;
  /** The current state by name. Map and tensors are live: the next step changes them. */
  state(): ReadonlyMap<string, Tensor>;
  /** Copies the given state in, or nothing: throws `state-mismatch` when a tensor is missing or misshapen. */
  restore(state: ReadonlyMap<string, Tensor>): void;
  close(): Promise<void>;
}

export interface TrainerOptions {
  readonly threads?: number | undefined;
  readonly plansMemory?: boolean | undefined;
  readonly profilePrefix?: string | undefined;
}

/** A trainer in the training graph's initial state. */
export async function openTrainer(
  training: TrainingGraph,
  options: TrainerOptions = {},
): Promise<Trainer> {
  const apply = await openWritingSession(training.graph, options);
  const gather = training.accumulating
    ? await openWritingSession(training.accumulating, options).catch(async (error: unknown) => {
        await apply.close();
        throw error;
      })
    : undefined;
  const current = new Map(training.state.map(({ name, initial }) => [name, copyOf(initial)]));
  const spare = new Map(training.state.map(({ name, initial }) => [name, copyOf(initial)]));
  const results = new Map(
    [training.graph, ...(training.accumulating ? [training.accumulating] : [])].map((graph) => [
      graph,
      { own: resultTensors(graph, training), written: writtenStates(graph, training) },
    ]),
  );

  /** Runs one graph on the current state and makes what it wrote the current one. */
  const advance = async (session: WritingSession, graph: Graph, feeds: Feeds) => {
    const { own, written } = results.get(graph)!;
    const wanted: Record<string, Tensor> = {};
    for (const { name } of graph.inputs) wanted[name] = current.get(name) ?? fed(feeds, name);
    const into: Record<string, Tensor> = { ...own };
    for (const { name, next } of written) into[next] = spare.get(name)!;
    await session.write(wanted, into);
    for (const { name } of written) {
      const before = current.get(name)!;
      current.set(name, spare.get(name)!);
      spare.set(name, before);
    }
    return own;
  };

  return {
    async step(feeds, controls) {
      const parts = Array.isArray(feeds) ? (feeds as readonly Feeds[]) : [feeds as Feeds];
      assert(parts.length === training.microBatches, "one feed per micro-batch is needed");
      const scalars = controlTensors(controls);
      let earlier = 0;
      for (const [index, part] of parts.slice(0, -1).entries()) {
        const keep = controlTensors({ keep: index === 0 ? 0 : 1 });
        assert(gather && training.accumulating, "this graph gathers no micro-batches");
        const { loss } = await advance(gather, training.accumulating, {
          ...part,
          ...scalars,
          ...keep,
        });
        earlier += Number(loss?.data[0] ?? 0);
      }
      const outputs = await advance(apply, training.graph, { ...parts.at(-1)!, ...scalars });
      if (!outputs.loss || parts.length === 1) return outputs;
      const loss = (earlier + Number(outputs.loss.data[0])) / parts.length;
      return { ...outputs, loss: { ...outputs.loss, data: Float32Array.of(loss) } };
    },
    state: () => current,
    restore(state) {
      const sound = training.state.map(({ name, initial }) => {
        const source = state.get(name);
        if (!source || source.type !== initial.type || sizeOf(source.dims) !== sizeOf(initial.dims))
          throw new HilumError(
            "state-mismatch",
            `The saved state ${source ? `has shape [${source.dims}] for` : "lacks"} "${name}" [${initial.dims}]: it belongs to another network or optimizer.`,
            { name, expected: initial.dims, received: source?.dims },
          );
        return { own: current.get(name)!, source };
      });
      for (const { own, source } of sound)
        (own.data as Float32Array).set(source.data as Float32Array);
    },
    async close() {
      await apply.close();
      await gather?.close();
    },
  };
}

function copyOf({ type, dims, data }: Tensor): Tensor {
  return { type, dims, data: data.length === 0 ? allocate(type, 0) : data.slice() };
}

/** Memory for what a graph returns beside the state. */
function resultTensors(graph: Graph, { state }: TrainingGraph): Record<string, Tensor> {
  const next = new Set(state.map(({ name }) => nextName(name)));
  return Object.fromEntries(
    graph.outputs
      .filter(({ name }) => !next.has(name))
      .map(({ name, type, shape }) => {
        const dims = (shape ?? []).map(Number);
        return [name, { type: type!, dims, data: allocate(type!, sizeOf(dims)) }];
      }),
  );
}

/** The state tensors that a graph returns anew, each with the name of what it becomes. */
function writtenStates({ outputs }: Graph, { state }: TrainingGraph) {
  const names = new Set(outputs.map(({ name }) => name));
  return state
    .map(({ name }) => ({ name, next: nextName(name) }))
    .filter(({ next }) => names.has(next));
}

function fed(feeds: Feeds, name: string): Tensor {
  const value = feeds[name];
  assert(value, `the training graph's input "${name}" was not fed`);
  return value;
}

function controlTensors(controls: Readonly<Partial<Record<Control, number>>>): Feeds {
  return Object.fromEntries(
    Object.entries(controls).map(([name, value]): [string, Tensor] => [
      name,
      CONTROLS[name as Control] === "int64"
        ? { type: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) }
        : { type: "float32", dims: [], data: Float32Array.of(value) },
    ]),
  );
}
