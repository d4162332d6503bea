/** A gate that is there already, measured on films whose patients its heads were not fitted to. */
import { gateBackbone } from "../../classifier/index.ts";
import { openDataset, splitByPatient } from "../../datasets/index.ts";
import type { Model } from "../../onnx/index.ts";
import { type FitGateOptions, VALIDATION } from "./fit-gate.ts";
import { type OutOfSample, outOfSample } from "./out-of-sample.ts";
import { scoredFilms } from "./scored.ts";
import { filmViews } from "./seen.ts";
import { openViews } from "./views.ts";

/**
 * By limits set on other patients than those judged. `films` and `seed` have to be those that the gate
 * was fitted with, or its training films are among them. Throws what opening the films throws.
 */
export async function measureGate(
  gate: Model,
  { films, weights, seed, onProgress }: Omit<FitGateOptions, "others" | "most">,
): Promise<OutOfSample> {
  const dataset = await openDataset(films);
  const split = splitByPatient(dataset.samples, dataset.task, { seed, valFraction: VALIDATION });
  const reader = await openViews(gateBackbone(weights), seed);
  const views = ["plain", "varied"] as const;
  const work = "films to measure on";
  const seen = await filmViews(split.validation, reader, { onProgress, work, views });
  await reader.close();
  return outOfSample(await scoredFilms(gate, seen, reader.side), seed);
}
