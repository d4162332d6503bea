import { expect, it } from "vitest";
import type { Task } from "../../datasets/index.ts";
import type { Settings } from "../options.ts";
import { batchesOf } from "./head-batches.ts";

it("asks for any of the most passes that there may be", () => {
  const [count, passes] = [400, 1000];
  const asked: number[] = [];
  const task: Task = { kind: "classes", classes: ["A", "B"], positive: 1 };
  const next = batchesOf(
    {
      task,
      samples: [],
      rows: {
        count,
        width: 1,
        bytes: 0,
        gathered(_, of) {
          asked.push(...of);
          return new Float32Array(count);
        },
        block: () => new Float32Array(count),
      },
    },
    { seed: 1, featurePasses: passes, headDropout: 0, balance: "none" } as Settings,
    {
      batch: 10,
      labels: { targets: new Float32Array(count), weights: new Float32Array(count), width: 1 },
      atOnce: count / 10,
    },
  );
  const { steps, feedsOf } = next(0);
  feedsOf({ from: 0, count: steps });
  expect(steps).toBe(count / 10);
  expect(asked).toHaveLength(count);
  expect(asked.filter((pass) => pass > passes / 2).length).toBeGreaterThan(count / 3);
  expect(Math.max(...asked)).toBeLessThanOrEqual(passes);
});
