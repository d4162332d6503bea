/** Runs told to a server that tracks experiments. */
export { MLFLOW_EXPERIMENT, type MlflowOptions, withMlflow } from "./with-mlflow.ts";
export { withMlflowSweep } from "./with-mlflow-sweep.ts";
