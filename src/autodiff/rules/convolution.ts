import type { GradientTable } from "../rule.ts";

export const CONVOLUTION_GRADIENTS: GradientTable = {};
