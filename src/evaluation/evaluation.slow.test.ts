import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { evaluatePredictions } from "./evaluation.ts";
import type { Prediction } from "./prediction.ts";

describe("evaluatePredictions, 200,000 films", () => {
  it("gives every metric an interval, by patient", () => {
    const random = randomStream(1);
    const patients: string[] = [];
    const predictions = Array.from({ length: 200_000 }, (_, film): Prediction => {
      const label = film % 5 === 0 ? 1 : 0;
      const p = 1 / (1 + Math.exp(-(2 * label - 1 + random.normal())));
      patients.push(`patient ${film >> 1}`);
      return { target: label === 1 ? [0, 1] : [1, 0], probabilities: [1 - p, p] };
    });
    const task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
    const { metrics } = evaluatePredictions(predictions, task, { rounds: 100, patients });
    // The area between normals two deviations apart.
    expect(metrics.auroc!.value).toBeCloseTo(0.9214, 2);
    for (const [key, { low, high }] of Object.entries(metrics)) {
      expect(low, key).not.toBeNull();
      expect(high! - low!, key).toBeLessThan(0.02);
    }
  });
});
