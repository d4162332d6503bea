import type { GradientTable } from "../rule.ts";

export const RESIZING_GRADIENTS: GradientTable = {};
