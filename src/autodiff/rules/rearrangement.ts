import type { GradientTable } from "../rule.ts";

export const REARRANGEMENT_GRADIENTS: GradientTable = {};
