import type { GradientTable } from "../rule.ts";

export const ACTIVATION_GRADIENTS: GradientTable = {};
