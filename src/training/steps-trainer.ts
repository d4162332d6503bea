/** Trains a small network many steps at a time: see autodiff/many-steps.ts. */
import { manySteps, nextName, outerName, type TrainingGraph } from "../autodiff/index.ts";
import { openSession } from "../onnx/index.node.ts";
import type { Tensor } from "../onnx/index.ts";

export interface StepsTrainer {
  /**
   * As many steps as the feeds have entries along their first axis, controls too, but for those that
   * all steps share. Returns the loss of each.
   */
  advance(feeds: Readonly<Record<string, Tensor>>): Promise<Float32Array>;
  /** The current state by name. */
  state(): ReadonlyMap<string, Tensor>;
  close(): Promise<void>;
}

export interface StepsOptions {
  readonly threads?: number | undefined;
  /** Inputs that are the same in all steps of a run. */
  readonly shared?: readonly string[] | undefined;
}

/** A trainer in the training graph's initial state; the graph is one without micro-batches. */
export async function openStepsTrainer(
  training: TrainingGraph,
  { threads, shared = [] }: StepsOptions = {},
): Promise<StepsTrainer> {
  const session = await openSession(manySteps(training, { shared, outputs: ["loss"] }), {
    threads,
  });
  let state = new Map(training.state.map(({ name, initial }) => [name, initial]));
  return {
    async advance(feeds) {
      const fed = Object.entries({ ...feeds, ...Object.fromEntries(state) });
      const results = await session.run(
        Object.fromEntries(
          fed.map(([name, value]) => [shared.includes(name) ? name : outerName(name), value]),
        ),
      );
      const result = (name: string) => results[outerName(name)]!;
      state = new Map(training.state.map(({ name }) => [name, result(nextName(name))]));
      return result("loss").data as Float32Array;
    },
    state: () => state,
    close: session.close,
  };
}
