import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/support/close.ts";
import {
  batchOf,
  gradientOf,
  START,
  trained,
  type Weights,
} from "../../../test/support/linear-problem.ts";
import { sgd } from "./sgd.ts";

const STEPS = [1, 2, 3, 4].map((step) => [batchOf(5, step)]);
const rateAt = (step: number): number => 0.3 / step;

type Rule = (p: number, g: number, v: number, rate: number) => { p: number; v: number };

/** The weights after all steps by a rule for one number; `decay` shrinks w first, never b. */
function expected(rule: Rule, decay = 0): Weights & { v: number[] } {
  let weights = START;
  let velocity = { w: START.w.map(() => 0), b: START.b.map(() => 0) };
  STEPS.forEach(([batch], index) => {
    const rate = rateAt(index + 1);
    const gradient = gradientOf(weights, batch!);
    const apply = (name: "w" | "b", shrink: number) =>
      weights[name].map((p, i) => rule(p * shrink, gradient[name][i]!, velocity[name][i]!, rate));
    const [w, b] = [apply("w", 1 - rate * decay), apply("b", 1)];
    weights = { w: w.map((next) => next.p), b: b.map((next) => next.p) };
    velocity = { w: w.map((next) => next.v), b: b.map((next) => next.v) };
  });
  return { ...weights, v: velocity.w };
}

async function check(optimizer: ReturnType<typeof sgd>, want: Weights & { v: number[] }) {
  const { state } = await trained({ optimizer }, STEPS, (step) => ({ learningRate: rateAt(step) }));
  const close = (name: string, values: readonly number[]) =>
    expectClose(
      { dims: [values.length], data: state.get(name)! },
      { dims: [values.length], data: values },
      { ofLargest: 2e-6 },
      name,
    );
  close("w", want.w);
  close("b", want.b);
  if (optimizer.slots.length > 0) close("w:velocity", want.v);
}

describe("sgd", () => {
  it("subtracts the gradient times the rate, and holds no moments", async () => {
    expect(sgd().slots).toEqual([]);
    await check(
      sgd(),
      expected((p, g, v, rate) => ({ p: p - rate * g, v })),
    );
  });

  it("gathers a velocity with momentum", async () => {
    const rule: Rule = (p, g, v, rate) => ({ p: p - rate * (0.9 * v + g), v: 0.9 * v + g });
    await check(sgd({ momentum: 0.9 }), expected(rule));
  });

  it("looks ahead along the velocity with Nesterov's momentum", async () => {
    const rule: Rule = (p, g, v, rate) => {
      const next = 0.9 * v + g;
      return { p: p - rate * (g + 0.9 * next), v: next };
    };
    await check(sgd({ momentum: 0.9, isNesterov: true }), expected(rule));
  });

  it("shrinks matrices, not biases, by the decay times the rate", async () => {
    const rule: Rule = (p, g, v, rate) => ({ p: p - rate * (0.5 * v + g), v: 0.5 * v + g });
    await check(sgd({ momentum: 0.5, weightDecay: 0.2 }), expected(rule, 0.2));
  });
});
