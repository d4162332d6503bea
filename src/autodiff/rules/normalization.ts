import type { GradientTable } from "../rule.ts";

export const NORMALIZATION_GRADIENTS: GradientTable = {};
