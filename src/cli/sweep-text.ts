/** A sweep on the terminal: its trials as they go, and what came of them. */
import type { SweepEvent, SweepResult } from "../training/index.ts";
import type { Output } from "./output.ts";
import { duration, progressBars } from "./progress.ts";
import { table } from "./table.ts";

/** A line for each trial, a bar for the steps of the one under way. */
export function sweepReporter(output: Output): { onEvent(event: SweepEvent): void; stop(): void } {
  const { update, stop } = progressBars();
  return {
    stop,
    onEvent(event) {
      if (event.kind === "training") {
        const { event: inner, number } = event;
        if (inner.kind === "caching") update("decoding films", inner.done, inner.total);
        else if (inner.kind === "features") update("features", inner.done, inner.total);
        else if (inner.kind === "headEpoch")
          update(`head of trial ${number}`, inner.record.epoch, inner.epochs);
        else if (inner.kind === "started" || inner.kind === "head") stop();
        else if (inner.kind === "step") {
          const { step, steps, epoch, imagesPerSecond } = inner;
          const note = `epoch ${epoch}  ${imagesPerSecond.toFixed(1)} images/s`;
          update(`trial ${number}`, step, steps, note);
        }
        return;
      }
      stop();
      if (event.kind === "trial")
        output.note(
          `trial ${event.number}${event.isTakenOver ? " taken over" : ""}  ${paramsText(event.params)}`,
        );
      else if (event.kind === "ended") {
        const { number, outcome, last, seconds } = event;
        const values = outcome.values.length > 0 ? outcome.values : [last];
        const shown = values.map((value) => value?.toFixed(4) ?? "not defined").join(", ");
        output.note(
          `trial ${number} ${outcome.state}  ${outcome.error ?? shown}  ${duration(seconds)}`,
        );
      }
    },
  };
}

const paramsText = (params: Readonly<Record<string, unknown>>): string =>
  Object.entries(params)
    .map(
      ([name, value]) =>
        `${name} ${typeof value === "number" ? Number(value.toPrecision(4)) : value}`,
    )
    .join("  ");

export function sweepText({
  trials,
  best,
  command,
  optimism,
  pareto,
  objectives,
  holdout,
  refit,
  sweep,
}: SweepResult): string {
  const counted = ["complete", "pruned", "failed"]
    .map((state) => `${trials.filter((trial) => trial.state === state).length} ${state}`)
    .join(", ");
  const [objective] = objectives;
  const flattery: [string, string][] = optimism
    ? [
        [
          "flattered by",
          `${optimism.flatters.toFixed(4)}: the best of ${optimism.candidates} is expected to reach ${optimism.corrected.toFixed(4)} (${optimism.low.toFixed(4)} to ${optimism.high.toFixed(4)}) on other patients`,
        ],
      ]
    : [];
  const chosen: [string, string][] = best
    ? [
        ["best", `trial ${best.number}, ${objective!.name} ${best.value?.toFixed(4)}`],
        ["options", paramsText(best.params)],
        ...flattery,
        ...(holdout ? holdoutRows(holdout) : []),
        ...(objectives.length > 1
          ? [["front", `trials ${pareto.join(", ")}`] as [string, string]]
          : []),
        ...(refit ? [["refit", refit] as [string, string]] : []),
      ]
    : [["best", "no trial was complete within the budget: give it more"]];
  const whole = table([["sweep", sweep], ["trials", counted], ...chosen]);
  // On a line of its own, to be copied whole.
  return command === null ? whole : `${whole}\n\nTrain the best:\n  npx ${command}`;
}

function holdoutRows({
  films,
  patients,
  metric,
  best,
  recipe,
  difference,
}: NonNullable<SweepResult["holdout"]>): [string, string][] {
  const shown = ({ value, low, high }: typeof best) =>
    `${value?.toFixed(4) ?? "not defined"}${low === null || high === null ? "" : ` (${low.toFixed(4)} to ${high.toFixed(4)})`}`;
  return [
    ["held out", `${films} films of ${patients} patients that no trial saw; their ${metric}:`],
    ["  best", shown(best)],
    ["  recipe", shown(recipe)],
    ["  difference", shown(difference)],
  ];
}
