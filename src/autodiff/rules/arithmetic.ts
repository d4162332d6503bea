import type { GradientTable } from "../rule.ts";

export const ARITHMETIC_GRADIENTS: GradientTable = {};
