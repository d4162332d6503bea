/** The optimizer that settings name: of a run, or of its head. */
import { adam, adamW, type Optimizer, sgd } from "../autodiff/index.ts";
import type { Settings } from "./options.ts";

export function optimizerOf({
  optimizer,
  momentum,
  weightDecay,
}: Pick<Settings, "optimizer" | "momentum" | "weightDecay">): Optimizer {
  if (optimizer === "sgd") return sgd({ momentum, weightDecay, isNesterov: momentum > 0 });
  return optimizer === "adam" ? adam({ weightDecay }) : adamW({ weightDecay });
}
