import type { GradientTable } from "../rule.ts";

export const POOLING_GRADIENTS: GradientTable = {};
