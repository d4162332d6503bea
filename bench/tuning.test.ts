import { expect, it } from "vitest";
import { networkEntry } from "../src/models/index.ts";
import { randomParams } from "../src/training/sweep/samplers/random.ts";
import { spaceOf } from "../src/training/sweep/space-file.ts";
import { objectiveOf } from "./tuning-objective.ts";
import { ourSearch } from "./tuning-search.ts";
import { EPOCHS, type Table } from "./tuning-table.ts";

const SPACE = spaceOf(
  {
    labelSmoothing: { low: 0, high: 0.5 },
    mixup: { low: 0, high: 1 },
    balance: ["none", "weights"],
  },
  networkEntry("cnn"),
);

/** Best with little smoothing and balanced weights; the longer, the better. */
const TRIALS: Table["trials"] = Array.from({ length: 120 }, (_, number) => {
  const params = randomParams(SPACE, 4, number);
  const loss = 0.02 + Number(params.labelSmoothing) ** 2 + (params.balance === "none" ? 0.05 : 0);
  const epochs = Array.from({ length: EPOCHS }, (_, epoch) => epoch);
  return {
    params,
    values: epochs.map((epoch) => 1 - loss * (1 + 1 / (1 + epoch))),
    seconds: epochs.map(() => 0.5),
    overhead: 0.1,
  };
});

const objective = objectiveOf(SPACE, { format: 1, metric: "auroc", trials: TRIALS });

it("the bench's objective ranks trials that it was not fitted to, and knows what they cost", () => {
  expect(objective.fit).toBeGreaterThan(0.9);
  const { losses, secondsPerEpoch, overhead } = objective.curveOf(TRIALS[0]!.params);
  expect(losses).toHaveLength(EPOCHS);
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  expect(secondsPerEpoch).toBeCloseTo(0.5, 12);
  expect(overhead).toBe(0.1);
});

it("a search spends what it is given, and its best only gets better", () => {
  const random = { sampler: "random", pruner: "none" } as const;
  const whole = { seed: 1, trials: 12, seconds: Number.POSITIVE_INFINITY };
  const plain = ourSearch(random, SPACE, objective, whole);
  expect(plain.trials).toBe(12);
  expect(plain.seconds).toBeCloseTo(12 * (0.1 + EPOCHS * 0.5), 9);
  const { seconds } = plain;
  const pruned = ourSearch({ sampler: "tpe", pruner: "asha" }, SPACE, objective, {
    seed: 1,
    trials: Number.POSITIVE_INFINITY,
    seconds,
  });
  expect(pruned.trials).toBeGreaterThan(12);
  expect(pruned.seconds).toBeGreaterThanOrEqual(seconds);
  for (const { milestones } of [plain, pruned])
    for (const [index, { loss }] of milestones.slice(1).entries())
      expect(loss).toBeLessThan(milestones[index]!.loss);
  expect(ourSearch(random, SPACE, objective, whole)).toEqual(plain);
});
