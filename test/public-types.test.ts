/** What the public types promise, and what they must refuse; `tsc` is what runs these. */
import {
  type Classifier,
  type Dataset,
  type Evaluation,
  evaluate,
  HilumError,
  loadClassifier,
  openDataset,
  type RunResult,
  type TrainEvent,
  train,
} from "hilum";
import { binaryCrossEntropy, type Loss } from "hilum/autodiff";
import type { Network } from "hilum/models";
import { operators as op, type Value } from "hilum/onnx";
import { type OwnMetric, trainEvents } from "hilum/training";
import { describe, expectTypeOf, it } from "vitest";

/** Typed and never called. */
const typed = (_work: () => unknown) => undefined;

describe("the types of hilum", () => {
  it("lead from a folder to a reading", () => {
    expectTypeOf(openDataset).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(openDataset).returns.resolves.toEqualTypeOf<Dataset>();
    expectTypeOf(train).parameter(0).toEqualTypeOf<Dataset | string>();
    expectTypeOf(train).returns.resolves.toEqualTypeOf<RunResult>();
    expectTypeOf(loadClassifier).returns.resolves.toEqualTypeOf<Classifier>();
    expectTypeOf<RunResult["model"]>().toEqualTypeOf<string>();
    expectTypeOf<Classifier>().toExtend<AsyncDisposable>();
    typed(async () => {
      const { evaluation } = await evaluate("runs/cnn", "chest_xray");
      expectTypeOf(evaluation).toEqualTypeOf<Evaluation>();
      // A metric that is not defined has no value, and not every evaluation has every metric.
      expectTypeOf(evaluation.metrics.auroc?.value).toEqualTypeOf<number | null | undefined>();
    });
  });

  it("tell events apart by their kind", () => {
    typed(async () => {
      for await (const event of trainEvents("films", {}, { out: "run" })) {
        expectTypeOf(event).toEqualTypeOf<TrainEvent>();
        if (event.kind === "epoch") expectTypeOf(event.record.epoch).toEqualTypeOf<number>();
        // @ts-expect-error only an epoch has a record
        if (event.kind === "step") event.record;
      }
    });
  });

  it("refuse options that there are not, and values that an option cannot take", () => {
    typed(() => train("films", { epochs: 3, schedule: "onecycle" }, { out: "run" }));
    // @ts-expect-error there is no such option
    typed(() => train("films", { epoch: 3 }, { out: "run" }));
    // @ts-expect-error there is no such schedule
    typed(() => train("films", { schedule: "linear" }, { out: "run" }));
    // @ts-expect-error a number is no text
    typed(() => train("films", { epochs: "3" }, { out: "run" }));
    // @ts-expect-error a run lives in a folder
    typed(() => train("films", {}, {}));
    // @ts-expect-error there is no such code
    typed(() => new HilumError("no-such-code", "It is wrong."));
  });

  it("refuse to change results and data sets", () => {
    typed((films: Dataset = {} as Dataset, run: RunResult = {} as RunResult) => {
      // @ts-expect-error samples are not for changing
      films.samples.push(films.samples.at(0)!);
      // @ts-expect-error a result is what came out
      run.model = "another.onnx";
    });
  });

  it("take networks, losses and metrics of one's own, and nothing else", () => {
    expectTypeOf<Network>().toEqualTypeOf<(x: Value, outputs: number) => Value>();
    expectTypeOf(binaryCrossEntropy).returns.toEqualTypeOf<Loss>();
    const network: Network = (x, outputs) => op.gemm(op.flatten(x), x.builder.scalar(outputs));
    const constant: OwnMetric = () => null;
    typed(() => train("films", {}, { out: "run", network, metrics: { constant } }));
    // @ts-expect-error a network returns a value of the graph
    typed(() => train("films", {}, { out: "run", network: () => 3 }));
    // @ts-expect-error a loss sees logits, targets and weights
    typed(() => train("films", {}, { out: "run", loss: ({ predictions }) => predictions }));
    // @ts-expect-error a metric is a number
    typed(() => train("films", {}, { out: "run", metrics: { name: () => "good" } }));
  });

  it("keep the attributes of operators typed", () => {
    typed((x: Value = {} as Value) => {
      op.maxPool(x, { kernel: [2, 2], strides: [2, 2] });
      // @ts-expect-error an attribute has its own name
      op.maxPool(x, { kernal: [2, 2] });
      // @ts-expect-error a number is no value of the graph
      op.relu(3);
    });
  });
});
