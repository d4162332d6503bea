import { operators as op } from "../../onnx/index.ts";
import { decayed } from "./decay.ts";
import type { Optimizer } from "./optimizer.ts";

export interface AdamOptions {
  readonly beta1?: number | undefined;
  readonly beta2?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly weightDecay?: number | undefined;
}

/**
 * Adam: m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g^2,
 * p' = p - rate c2/c1 m' / (sqrt(v') + epsilon c2), with c1 = 1 - b1^t and c2 = sqrt(1 - b2^t).
 * Source: Kingma and Ba 2015, algorithm 1, with the bias corrections moved to scalars (section 2).
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adamNamed("adam", { weightDecay: 0, ...options });
}

/** Adam with decoupled weight decay, 0.01 by default. */
export function adamW(options: AdamOptions = {}): Optimizer {
  return adamNamed("adamw", { weightDecay: 0.01, ...options });
}

function adamNamed(
  name: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamOptions,
): Optimizer {
  return {
    name,
    slots: ["first", "second"],
    weightDecay,
    begin({ step }) {
      const { builder } = step;
      const one = builder.scalar(1);
      const correction = (beta: number) => op.sub(one, op.pow(builder.scalar(beta), step));
      const second = op.sqrt(correction(beta2));
      const scale = op.div(second, correction(beta1));
      const floor = op.mul(second, builder.scalar(epsilon));
      return ({ parameter, gradient, slots, rate, decay }) => {
        const blend = (old: typeof gradient, fresh: typeof gradient, beta: number) =>
          op.add(op.mul(old, builder.scalar(beta)), op.mul(fresh, builder.scalar(1 - beta)));
        const first = blend(slots[0]!, gradient, beta1);
        const squares = blend(slots[1]!, op.mul(gradient, gradient), beta2);
        const direction = op.div(first, op.add(op.sqrt(squares), floor));
        const change = op.mul(direction, op.mul(rate, scale));
        return {
          parameter: op.sub(decayed(parameter, rate, decay), change),
          slots: [first, squares],
        };
      };
    },
  };
}
