import { operators as op } from "../../onnx/index.ts";
import { decayed } from "./decay.ts";
import type { Optimizer } from "./optimizer.ts";

export interface SgdOptions {
  readonly momentum?: number | undefined;
  readonly isNesterov?: boolean | undefined;
  readonly weightDecay?: number | undefined;
}

/**
 * Stochastic gradient descent: v' = momentum v + g, p' = p - rate v' (Nesterov: g + momentum v').
 * Source: Sutskever et al. 2013, in the form that PyTorch documents for torch.optim.SGD.
 */
export function sgd({
  momentum = 0,
  isNesterov = false,
  weightDecay = 0,
}: SgdOptions = {}): Optimizer {
  return {
    name: "sgd",
    slots: momentum === 0 ? [] : ["velocity"],
    weightDecay,
    begin:
      () =>
      ({ parameter, gradient, slots, rate, decay }) => {
        const start = decayed(parameter, rate, decay);
        const [velocity] = slots;
        if (!velocity) return { parameter: op.sub(start, op.mul(gradient, rate)), slots: [] };
        const share = parameter.builder.scalar(momentum);
        const next = op.add(op.mul(velocity, share), gradient);
        const direction = isNesterov ? op.add(gradient, op.mul(next, share)) : next;
        return { parameter: op.sub(start, op.mul(direction, rate)), slots: [next] };
      },
  };
}
