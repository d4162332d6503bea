import type { GradientTable } from "../rule.ts";

export const CONTRACTION_GRADIENTS: GradientTable = {};
