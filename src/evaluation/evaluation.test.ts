import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { BINARY_METRICS, binaryMetrics } from "./binary.ts";
import { type Evaluation, evaluatePredictions } from "./evaluation.ts";
import type { MetricValue } from "./metric-values.ts";

type Metrics = Readonly<Record<string, number | null>>;

interface BinaryFixture {
  readonly title: string;
  readonly threshold: number;
  readonly labels: readonly (0 | 1)[];
  readonly scores: readonly number[];
  readonly confusion: readonly (readonly number[])[];
  readonly metrics: Metrics;
}

interface ClassesFixture {
  readonly title: string;
  readonly labels: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
  readonly confusion: readonly (readonly number[])[];
  readonly metrics: Metrics;
  readonly perClass: readonly Metrics[];
}

interface FindingsFixture {
  readonly title: string;
  readonly threshold: number;
  readonly targets: readonly (readonly (0 | 1 | null)[])[];
  readonly probabilities: readonly (readonly number[])[];
  readonly metrics: Metrics;
  /** Null for a finding that is known of no film. */
  readonly perClass: readonly (Metrics | null)[];
}

const fixtures = <T>(name: string): (readonly [string, T])[] => {
  const url = new URL(`../../test/reference/evaluation/${name}.json`, import.meta.url);
  const cases = JSON.parse(readFileSync(url, "utf8")) as (T & { title: string })[];
  return cases.map((entry) => [entry.title, entry] as const);
};

const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;
const TWO_REVERSED = { kind: "classes", classes: ["ILL", "WELL"], positive: 0 } as const;

/** Every metric of the fixture and no other, to twelve digits; null exactly where it says so. */
function expectMetrics(actual: Readonly<Record<string, MetricValue>>, expected: Metrics): void {
  expect(Object.keys(actual).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [key, wanted] of Object.entries(expected)) {
    const { value, low, high } = actual[key]!;
    expect([low, high], key).toEqual([null, null]);
    if (wanted === null || value === null) expect(value, key).toBe(wanted);
    else expect(Math.abs(value - wanted), key).toBeLessThanOrEqual(1e-12 * Math.max(1, wanted));
  }
}

function binaryEvaluation({ labels, scores, threshold }: BinaryFixture): Evaluation {
  const predictions = labels.map((label, i) => ({
    target: [label === 1 ? 0 : 1, label] as const,
    probabilities: [1 - scores[i]!, scores[i]!],
  }));
  return evaluatePredictions(predictions, TWO, { threshold, rounds: 0 });
}

describe("evaluatePredictions, two classes", () => {
  it.each(fixtures<BinaryFixture>("binary"))("agrees with scikit-learn: %s", (_, entry) => {
    const { n, positive, threshold, confusion, metrics, perClass } = binaryEvaluation(entry);
    expect({ n, positive, threshold, perClass }).toEqual({
      n: entry.labels.length,
      positive: "PNEUMONIA",
      threshold: entry.threshold,
      perClass: undefined,
    });
    expect(confusion).toEqual({ labels: TWO.classes, matrix: entry.confusion });
    expectMetrics(metrics, entry.metrics);
  });

  it("takes the positive class from the task, wherever it stands", () => {
    const [, entry] = fixtures<BinaryFixture>("binary")[0]!;
    const predictions = entry.labels.map((label, i) => ({
      target: [label, label === 1 ? 0 : 1] as const,
      probabilities: [entry.scores[i]!, 1 - entry.scores[i]!],
    }));
    const evaluation = evaluatePredictions(predictions, TWO_REVERSED, { rounds: 0 });
    expect(evaluation.positive).toBe("ILL");
    expect(evaluation.confusion).toEqual({
      labels: ["ILL", "WELL"],
      matrix: entry.confusion.toReversed().map((row) => row.toReversed()),
    });
    expectMetrics(evaluation.metrics, entry.metrics);
  });
});

describe("evaluatePredictions, several classes", () => {
  it.each(fixtures<ClassesFixture>("classes"))("agrees with scikit-learn: %s", (_, entry) => {
    const classes = entry.confusion.map((_, index) => `CLASS-${index}`);
    const predictions = entry.labels.map((label, i) => ({
      target: classes.map((_, index) => (index === label ? 1 : 0) as 0 | 1),
      probabilities: entry.probabilities[i]!,
    }));
    const task = { kind: "classes", classes, positive: null } as const;
    const { n, positive, threshold, confusion, metrics, perClass } = evaluatePredictions(
      predictions,
      task,
      { rounds: 0 },
    );
    expect({ n, positive, threshold }).toEqual({
      n: entry.labels.length,
      positive: null,
      threshold: null,
    });
    expect(confusion).toEqual({ labels: classes, matrix: entry.confusion });
    expectMetrics(metrics, entry.metrics);
    for (const [index, wanted] of entry.perClass.entries())
      expectMetrics(perClass![classes[index]!]!, wanted);
  });
});

describe("evaluatePredictions, several findings", () => {
  it.each(fixtures<FindingsFixture>("findings"))("agrees with scikit-learn: %s", (_, entry) => {
    const findings = entry.perClass.map((_, index) => `finding ${index}`);
    const predictions = entry.targets.map((target, i) => ({
      target,
      probabilities: entry.probabilities[i]!,
    }));
    const task = { kind: "findings", findings } as const;
    const { confusion, threshold, metrics, perClass } = evaluatePredictions(predictions, task, {
      threshold: entry.threshold,
      rounds: 0,
    });
    expect({ confusion, threshold }).toEqual({ confusion: null, threshold: entry.threshold });
    expectMetrics(metrics, entry.metrics);
    for (const [index, wanted] of entry.perClass.entries()) {
      const nothing = Object.fromEntries(BINARY_METRICS.map(({ key }) => [key, null]));
      expectMetrics(perClass![findings[index]!]!, wanted ?? nothing);
    }
  });
});

describe("evaluatePredictions, unsound input", () => {
  it("refuses to evaluate nothing", () => {
    expect(thrownBy(() => evaluatePredictions([], TWO))).toMatchObject({
      code: "evaluation-empty",
    });
  });

  it.each([Number.NaN, -0.01, 1.01, Number.POSITIVE_INFINITY])(
    "names the row of a probability of %d",
    (value) => {
      const sound = { target: [0, 1], probabilities: [0.5, 0.5] } as const;
      const unsound = { target: [0, 1], probabilities: [0.5, value] } as const;
      expect(thrownBy(() => evaluatePredictions([sound, unsound], TWO))).toMatchObject({
        code: "probability-invalid",
        message: expect.stringContaining(`Prediction 2 has probability ${value}`),
        details: { row: 2, value },
      });
    },
  );
});

/** Labels of 0 and 1 with scores that tie now and then. */
const binaryCases = fc
  .array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 40 })), {
    minLength: 1,
    maxLength: 60,
  })
  .map((films) => ({
    labels: films.map(([label]) => label),
    scores: films.map(([, score]) => score / 40),
    threshold: 0.5,
  }));

describe("binaryMetrics", () => {
  it("ranks alike under every monotone map of the scores", () => {
    fc.assert(
      fc.property(
        binaryCases,
        fc.constantFrom(Math.sqrt, Math.cbrt, (x: number) => x ** 3),
        (binary, map) => {
          const { auroc, averagePrecision } = binaryMetrics(binary);
          const mapped = binaryMetrics({ ...binary, scores: binary.scores.map(map) });
          expect(mapped).toMatchObject({ auroc, averagePrecision });
        },
      ),
    );
  });

  it("hangs on no order of the films", () => {
    fc.assert(
      fc.property(binaryCases, fc.integer(), (binary, seed) => {
        const order = binary.labels
          .map((_, i) => [Math.sin(seed + i * i), i] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, i]) => i);
        const shuffled = {
          ...binary,
          labels: order.map((i) => binary.labels[i]!),
          scores: order.map((i) => binary.scores[i]!),
        };
        const [before, after] = [binaryMetrics(binary), binaryMetrics(shuffled)];
        for (const { key } of BINARY_METRICS)
          if (before[key] === null) expect(after[key], key).toBeNull();
          else expect(Math.abs(after[key]! - before[key]!), key).toBeLessThan(1e-12);
      }),
    );
  });

  it("mirrors when labels and scores are exchanged for their opposites", () => {
    fc.assert(
      fc.property(binaryCases, (binary) => {
        // Off every score, so that no film changes sides; off 0 and 1, where rounding decides a log.
        const scores = binary.scores.map((score) => 0.1 + 0.8 * score);
        const at = { ...binary, scores, threshold: 0.51 };
        const opposite = {
          labels: at.labels.map((label) => 1 - label),
          scores: at.scores.map((score) => 1 - score),
          threshold: 1 - at.threshold,
        };
        const [one, other] = [binaryMetrics(at), binaryMetrics(opposite)];
        const mirrored = {
          sensitivity: "specificity",
          specificity: "sensitivity",
          ppv: "npv",
          npv: "ppv",
        } as Readonly<Record<string, string>>;
        const same = ["accuracy", "balancedAccuracy", "auroc", "mcc", "kappa", "logLoss", "brier"];
        for (const key of [...same, ...Object.keys(mirrored)]) {
          const [a, b] = [one[key]!, other[mirrored[key] ?? key]!];
          if (a === null) expect(b, key).toBeNull();
          else expect(Math.abs(a - b), key).toBeLessThan(1e-12);
        }
      }),
    );
  });

  it("keeps every metric in its range, and nothing is NaN", () => {
    fc.assert(
      fc.property(binaryCases, fc.double({ min: 0, max: 1, noNaN: true }), (binary, threshold) => {
        const metrics = binaryMetrics({ ...binary, threshold });
        for (const { key } of BINARY_METRICS) {
          const low = key === "mcc" || key === "kappa" ? -1 : 0;
          const high = key === "logLoss" ? -Math.log(1e-16) : 1;
          const value = metrics[key];
          if (value === null) continue;
          expect(value, key).toBeGreaterThanOrEqual(low - 1e-12);
          expect(value, key).toBeLessThanOrEqual(high + 1e-12);
        }
      }),
    );
  });
});
