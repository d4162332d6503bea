import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { classTask, type Sample } from "./dataset.ts";
import { findLeaks } from "./leaks.ts";
import type { Samples } from "./samples.ts";
import { splitByPatient } from "./split.ts";
import type { Task } from "./task.ts";

const CLASSES = classTask(["NORMAL", "BACTERIA", "VIRUS"]);
const FINDINGS: Task = { kind: "findings", findings: ["A", "B", "C", "D"] };

interface Patient {
  readonly targets: readonly Sample["target"][];
  readonly split?: string | null;
}

const samplesOf = (patients: readonly Patient[]): Sample[] =>
  patients.flatMap(({ targets, split = null }, patient) =>
    targets.map((target, film) => ({
      key: `p${patient}_${film}.png`,
      path: `/films/p${patient}_${film}.png`,
      split,
      target,
      patient: `p${patient}`,
      columns: {},
    })),
  );

const oneHot = (label: number): Sample["target"] => [0, 1, 2].map((i) => (i === label ? 1 : 0));
const classPatient = fc
  .record({ label: fc.integer({ min: 0, max: 2 }), films: fc.integer({ min: 1, max: 9 }) })
  .map(({ label, films }) => ({ targets: Array<Sample["target"]>(films).fill(oneHot(label)) }));
const findingPatient = fc
  .array(fc.tuple(...Array(4).fill(fc.constantFrom<0 | 1 | null>(0, 0, 0, 1, null))), {
    minLength: 1,
    maxLength: 4,
  })
  .map((targets) => ({ targets: targets as Sample["target"][] }));

const sets = fc.oneof(
  fc.record({
    task: fc.constant(CLASSES),
    patients: fc.array(classPatient, { minLength: 8, maxLength: 60 }),
  }),
  fc.record({
    task: fc.constant(FINDINGS),
    patients: fc.array(findingPatient, { minLength: 8, maxLength: 60 }),
  }),
);
const keys = (samples: Samples) => samples.map(({ key }) => key);
const images = (samples: Samples, label: number) =>
  samples.filter(({ target }) => target[label] === 1).length;

describe("splitByPatient", () => {
  it("separates no patient, loses no image, and leaks nothing", () => {
    fc.assert(
      fc.property(
        sets,
        fc.integer(),
        fc.double({ min: 0.1, max: 0.6, noNaN: true }),
        ({ task, patients }, seed, valFraction) => {
          const samples = samplesOf(patients);
          const { train, validation } = splitByPatient(samples, task, { seed, valFraction });
          expect([...keys(train), ...keys(validation)].sort()).toEqual(keys(samples).sort());
          expect(findLeaks(train, validation)).toEqual([]);
        },
      ),
    );
  });

  it("gives validation its share of each class to within the largest patient", () => {
    const patients = fc.array(classPatient, { minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(
        patients,
        fc.integer(),
        fc.double({ min: 0.1, max: 0.5, noNaN: true }),
        (list, seed, valFraction) => {
          const samples = samplesOf(list);
          const { validation } = splitByPatient(samples, CLASSES, { seed, valFraction });
          for (const label of [0, 1, 2]) {
            const sizes = list.map(
              ({ targets }) => targets.filter((target) => target[label] === 1).length,
            );
            const wanted = valFraction * images(samples, label);
            expect(Math.abs(images(validation, label) - wanted)).toBeLessThanOrEqual(
              Math.max(...sizes),
            );
          }
        },
      ),
    );
  });

  it("gives validation its share of findings that come in many combinations", () => {
    const patients = Array.from({ length: 800 }, (_, i) => ({
      targets: [
        [i % 3 === 0, i % 7 === 0, i % 40 === 0, i % 200 === 0].map((has) =>
          has ? 1 : 0,
        ) as Sample["target"],
      ],
    }));
    const samples = samplesOf(patients);
    const { validation } = splitByPatient(samples, FINDINGS, { seed: 5, valFraction: 0.25 });
    const counts = [0, 1, 2, 3].map((label) => images(validation, label));
    expect(validation.length).toBeGreaterThanOrEqual(198);
    expect(validation.length).toBeLessThanOrEqual(202);
    // A quarter of 267, 115, 20 and 4 images.
    [66.75, 28.75, 5, 1].forEach((wanted, label) => {
      expect(Math.abs(counts[label]! - wanted)).toBeLessThanOrEqual(1);
    });
  });

  it("cuts folds that are disjoint and together are everything", () => {
    fc.assert(
      fc.property(
        sets,
        fc.integer(),
        fc.integer({ min: 2, max: 5 }),
        ({ task, patients }, seed, folds) => {
          const samples = samplesOf(patients);
          const parts = Array.from({ length: folds }, (_, fold) =>
            splitByPatient(samples, task, { seed, valFraction: 0.2, folds, fold }),
          );
          expect(parts.flatMap(({ validation }) => keys(validation)).sort()).toEqual(
            keys(samples).sort(),
          );
          for (const { train, validation } of parts)
            expect(findLeaks(train, validation)).toEqual([]);
        },
      ),
    );
  });

  describe("by a column", () => {
    const archives = (values: readonly string[]) =>
      samplesOf(values.map((_, i) => ({ targets: [oneHot(i % 3), oneHot(i % 3)] }))).map(
        (sample, index) => ({ ...sample, columns: { archive: values[index >> 1]! } }),
      );
    const cut = (samples: Samples, folds: number, fold: number, foldBy = "archive") =>
      splitByPatient(samples, CLASSES, { seed: 1, valFraction: 0.2, folds, fold, foldBy });
    const heldIn = (samples: Samples, folds: number) =>
      Array.from({ length: folds }, (_, fold) => [
        ...new Set(cut(samples, folds, fold).validation.map(({ columns }) => columns.archive)),
      ]);
    const samples = archives([..."aaabbbbbbccccccccc"]);

    it("holds out each value once where there are as many folds", () => {
      expect(heldIn(samples, 3)).toEqual([["a"], ["b"], ["c"]]);
    });

    it("joins small values where there are fewer folds", () => {
      expect(heldIn(samples, 2)).toEqual([["a", "b"], ["c"]]);
    });

    it("lets a patient's films go where most of them belong, and says so", () => {
      const [first, second, ...rest] = samples;
      const moved = { ...first!, key: "p0_2.png", columns: { archive: "c" } };
      const strays = [first!, second!, moved, ...rest];
      const held = cut(strays, 3, 0);
      expect(keys(held.validation)).toContain("p0_2.png");
      expect(findLeaks(held.train, held.validation)).toEqual([]);
      expect(held.warnings).toMatchObject([
        {
          code: "fold-values-mixed",
          severity: "note",
          message: expect.stringMatching(/1 patient has.*p0/),
        },
      ]);
      expect(cut(samples, 3, 0).warnings).toEqual([]);
    });

    it.each([
      ["no such column", samples, "archiv", "invalid-option", /Did you mean "archive"\?/],
      [
        "films without columns",
        samples.map((sample) => ({ ...sample, columns: {} })),
        "archive",
        "invalid-option",
        /hilum cluster writes one/,
      ],
      [
        "a film without a value",
        samples.map((sample, i) => (i === 3 ? { ...sample, columns: { archive: " " } } : sample)),
        "archive",
        "invalid-option",
        /is empty for 1 image \(first: p1_1\.png\)/,
      ],
      ["one value", archives([..."aaaaaa"]), "archive", "split-impossible", /another column/],
    ])("refuses %s", (_, films, column, code, message) => {
      const error = thrownBy(() => cut(films, 3, 0, column));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    });
  });

  it("does not depend on the order of the files, and does on the seed", () => {
    const samples = samplesOf(
      Array.from({ length: 40 }, (_, i) => ({ targets: [oneHot(i % 3), oneHot(i % 3)] })),
    );
    const validation = (
      list: Samples,
      seed: number,
      digestOf = ({ key, patient }: Sample) =>
        key.endsWith("_0.png") ? `copy ${Number(patient.slice(1)) % 20}` : key,
    ) => keys(splitByPatient(list, CLASSES, { seed, valFraction: 0.3, digestOf }).validation);
    fc.assert(
      fc.property(fc.shuffledSubarray(samples, { minLength: samples.length }), (shuffled) => {
        expect(validation(shuffled, 1)).toEqual(validation(samples, 1));
      }),
      { numRuns: 20 },
    );
    expect(validation(samples, 2)).not.toEqual(validation(samples, 1));
  });

  it("puts a rare class into both parts where two patients have it", () => {
    const patients = Array.from({ length: 30 }, (_, i) => ({
      targets: [oneHot(i < 2 ? 2 : i % 2)],
    }));
    const split = (list: readonly Patient[]) =>
      splitByPatient(samplesOf(list), CLASSES, { seed: 1, valFraction: 0.1 });
    expect(images(split(patients).validation, 2)).toBe(1);
    expect(images(split(patients).train, 2)).toBe(1);
    expect(split(patients).warnings).toEqual([]);
    expect(split(patients.slice(1)).warnings).toMatchObject([
      { code: "label-missing", message: expect.stringContaining("VIRUS") },
    ]);
  });

  it("keeps patients together who share an identical film", () => {
    const samples = samplesOf(
      Array.from({ length: 30 }, () => ({ targets: [oneHot(0), oneHot(1)] })),
    );
    const digestOf = ({ key, patient }: Sample) =>
      key.endsWith("_0.png") ? `copy ${Number(patient.slice(1)) % 10}` : key;
    for (const seed of [1, 2, 3]) {
      const { train, validation } = splitByPatient(samples, CLASSES, {
        seed,
        valFraction: 0.3,
        digestOf,
      });
      expect(findLeaks(train, validation, digestOf)).toEqual([]);
    }
  });

  it("never trains on the test part or on splits of other names", () => {
    const patients = Array.from({ length: 40 }, (_, i) => ({
      targets: [oneHot(i % 3)],
      split: ["train", "test", "holdout", null][i % 4]!,
    }));
    const split = splitByPatient(samplesOf(patients), CLASSES, { seed: 1, valFraction: 0.3 });
    const used = new Set([...split.train, ...split.validation].map((sample) => sample.split));
    expect(used).toEqual(new Set(["train", null]));
    expect(split.test).toHaveLength(10);
    expect(split.warnings).toMatchObject([{ code: "split-left-out" }]);
  });

  const withOwn = (count: number) =>
    samplesOf([
      ...Array.from({ length: 90 }, (_, i) => ({ targets: [oneHot(i % 3)], split: "train" })),
      ...Array.from({ length: count }, (_, i) => ({ targets: [oneHot(i % 3)], split: "val" })),
    ]);

  it("uses a data set's own validation part where it is large enough", () => {
    const split = splitByPatient(withOwn(60), CLASSES, { seed: 1, valFraction: 0.2 });
    expect(split.validation.every((sample) => sample.split === "val")).toBe(true);
    expect([split.validation.length, split.warnings]).toEqual([60, []]);
  });

  it("draws validation patients from training where the own part has 16 images", () => {
    const split = splitByPatient(withOwn(16), CLASSES, { seed: 1, valFraction: 0.2 });
    expect(split.train.length + split.validation.length).toBe(106);
    expect(Math.abs(split.validation.length - 21)).toBeLessThanOrEqual(3);
    expect(split.warnings).toMatchObject([
      { code: "validation-useless", message: expect.stringContaining("only 16 images") },
    ]);
  });

  it("joins a large own part too where folds are cut, and says so", () => {
    const split = splitByPatient(withOwn(60), CLASSES, {
      seed: 1,
      valFraction: 0.2,
      folds: 5,
      fold: 4,
    });
    expect(split.train.length + split.validation.length).toBe(150);
    expect(split.warnings).toMatchObject([{ code: "validation-joined", severity: "note" }]);
  });

  it("warns of test patients who recur in training, and does not refuse them", () => {
    const samples = samplesOf(
      Array.from({ length: 20 }, (_, i) => ({ targets: [oneHot(i % 2)], split: "train" })),
    );
    const test = samples
      .slice(0, 3)
      .map((sample) => ({ ...sample, key: `t${sample.key}`, split: "test" }));
    const { warnings } = splitByPatient([...samples, ...test], classTask(["a", "b"]), {
      seed: 1,
      valFraction: 0.3,
    });
    expect(warnings).toMatchObject([
      {
        code: "test-patients-recur",
        severity: "warning",
        message: expect.stringContaining("3 patients"),
      },
    ]);
  });

  it.each([
    [{ valFraction: 0 }, "invalid-option"],
    [{ valFraction: 1 }, "invalid-option"],
    [{ folds: 1 }, "invalid-option"],
    [{ folds: 3, fold: 3 }, "invalid-option"],
    [{ folds: 40, fold: 39 }, "split-impossible"],
  ])("refuses %j", (options, code) => {
    const samples = samplesOf(Array.from({ length: 12 }, (_, i) => ({ targets: [oneHot(i % 3)] })));
    expect(() =>
      splitByPatient(samples, CLASSES, { seed: 1, valFraction: 0.2, ...options }),
    ).toThrow(expect.objectContaining({ code }));
  });
});

describe("findLeaks", () => {
  const [a, b, c] = samplesOf([{ targets: [oneHot(0), oneHot(0)] }, { targets: [oneHot(1)] }]) as [
    Sample,
    Sample,
    Sample,
  ];

  it("names patients who cross", () => {
    expect(findLeaks([a, c], [b])).toEqual([
      {
        code: "patient-leak",
        key: b.key,
        severity: "error",
        message: `1 validation image shows 1 patient who is in training too (first: ${b.key}, as ${a.key}).`,
      },
    ]);
  });

  it("names identical copies, and takes films of unknown digest for different", () => {
    expect(findLeaks([a], [c], () => "same")).toMatchObject([
      { code: "duplicate-leak", key: c.key },
    ]);
    expect(findLeaks([a], [c], () => undefined)).toEqual([]);
  });
});
