/** The MLflow server that a command is to tell of its work. */
import { HilumError } from "../errors.ts";
import type { MlflowOptions } from "../training/index.ts";
import { text } from "./command.ts";
import type { Output } from "./output.ts";

/** Undefined where none is named. Throws `invalid-option` for an experiment without a server. */
export function trackingOf(
  { mlflow, mlflowExperiment }: Readonly<Record<"mlflow" | "mlflowExperiment", unknown>>,
  output: Output,
): MlflowOptions | undefined {
  const experiment = text(mlflowExperiment);
  if (mlflow !== undefined) return { url: String(mlflow), experiment, onWarning: output.note };
  if (experiment === undefined) return undefined;
  throw new HilumError(
    "invalid-option",
    "Option mlflow-experiment names an experiment, but no server. Add --mlflow URL.",
    { option: "mlflow-experiment", value: experiment },
  );
}
