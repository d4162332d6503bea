import type { GradientTable } from "../rule.ts";

export const REDUCTION_GRADIENTS: GradientTable = {};
