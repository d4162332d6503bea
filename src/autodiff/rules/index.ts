/** The table of gradient rules by operator. */
import type { GradientTable } from "../rule.ts";
import { ACTIVATION_GRADIENTS } from "./activation.ts";
import { ARITHMETIC_GRADIENTS } from "./arithmetic.ts";
import { CONTRACTION_GRADIENTS } from "./contraction.ts";
import { CONVOLUTION_GRADIENTS } from "./convolution.ts";
import { NORMALIZATION_GRADIENTS } from "./normalization.ts";
import { POOLING_GRADIENTS } from "./pooling.ts";
import { REARRANGEMENT_GRADIENTS } from "./rearrangement.ts";
import { REDUCTION_GRADIENTS } from "./reduction.ts";
import { RESIZING_GRADIENTS } from "./resizing.ts";

export const GRADIENT_RULES: GradientTable = {
  ...ACTIVATION_GRADIENTS,
  ...ARITHMETIC_GRADIENTS,
  ...CONTRACTION_GRADIENTS,
  ...CONVOLUTION_GRADIENTS,
  ...NORMALIZATION_GRADIENTS,
  ...POOLING_GRADIENTS,
  ...REARRANGEMENT_GRADIENTS,
  ...REDUCTION_GRADIENTS,
  ...RESIZING_GRADIENTS,
};
