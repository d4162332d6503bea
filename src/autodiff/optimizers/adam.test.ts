import { describe, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import { batchOf, gradientOf, START, trained } from "../../../test/support/linear-problem.ts";
import { type AdamOptions, adam, adamW } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";

const STEPS = [1, 2, 3, 4, 5].map((step) => [batchOf(4, step)]);
const rateAt = (step: number): number => 0.1 / step;

interface Slot {
  readonly p: number;
  readonly m: number;
  readonly v: number;
}

/** Kingma and Ba's algorithm 1 as printed, with m^ and v^; `decay` is decoupled and spares b. */
function expected({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions, decay: number) {
  const fresh = (p: number): Slot => ({ p, m: 0, v: 0 });
  let slots = { w: START.w.map(fresh), b: START.b.map(fresh) };
  STEPS.forEach(([batch], index) => {
    const t = index + 1;
    const values = { w: slots.w.map(({ p }) => p), b: slots.b.map(({ p }) => p) };
    const gradient = gradientOf(values, batch!);
    const step = (old: readonly Slot[], g: readonly number[], shrink: number): Slot[] =>
      old.map(({ p, m, v }, i) => {
        const first = beta1 * m + (1 - beta1) * g[i]!;
        const second = beta2 * v + (1 - beta2) * g[i]! ** 2;
        const mHat = first / (1 - beta1 ** t);
        const vHat = second / (1 - beta2 ** t);
        const change = (rateAt(t) * mHat) / (Math.sqrt(vHat) + epsilon);
        return { p: p * shrink - change, m: first, v: second };
      });
    slots = {
      w: step(slots.w, gradient.w, 1 - rateAt(t) * decay),
      b: step(slots.b, gradient.b, 1),
    };
  });
  return slots;
}

async function check(optimizer: Optimizer, want: ReturnType<typeof expected>): Promise<void> {
  const { state } = await trained({ optimizer }, STEPS, (step) => ({ learningRate: rateAt(step) }));
  const close = (name: string, data: readonly number[]) => {
    const dims = [data.length];
    expectClose({ dims, data: state.get(name)! }, { dims, data }, { ofLargest: 1e-5 }, name);
  };
  for (const name of ["w", "b"] as const) {
    close(
      name,
      want[name].map(({ p }) => p),
    );
    close(
      `${name}:first`,
      want[name].map(({ m }) => m),
    );
    close(
      `${name}:second`,
      want[name].map(({ v }) => v),
    );
  }
}

describe("adam", () => {
  it("equals the algorithm as printed, moments included", async () => {
    await check(adam(), expected({}, 0));
  });

  it("takes its own betas and an epsilon that weighs", async () => {
    const options = { beta1: 0.7, beta2: 0.9, epsilon: 0.05 };
    await check(adam(options), expected(options, 0));
  });

  it("decays nothing unless asked", async () => {
    await check(adam({ weightDecay: 0.3 }), expected({}, 0.3));
  });
});

describe("adamW", () => {
  it("shrinks matrices by a hundredth of the rate by default", async () => {
    await check(adamW(), expected({}, 0.01));
  });

  it("keeps the decay apart from the moments", async () => {
    await check(adamW({ weightDecay: 0.5 }), expected({}, 0.5));
  });
});
