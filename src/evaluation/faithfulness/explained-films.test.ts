import { expect, it } from "vitest";
import type { Task } from "../../datasets/index.portable.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { explainedFilms } from "./explained-films.ts";

const setOf = (task: Task, probabilities: readonly (readonly number[])[]): PredictionSet => ({
  task,
  keys: probabilities.map((_, index) => `${index}.png`),
  patients: probabilities.map((_, index) => `file:${index}`),
  predictions: probabilities.map((row) => ({
    target: row.map(() => 0 as const),
    probabilities: row,
  })),
  columns: {},
});

const TWO: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const twenty = setOf(
  TWO,
  Array.from({ length: 20 }, (_, index) => [1 - index / 20, index / 20]),
);

it("films that are called positive are drawn by seed, in their order, without those left out", () => {
  const all = explainedFilms(twenty, { most: 99, threshold: 0.7 });
  expect(all).toEqual({
    class: "PNEUMONIA",
    films: [14, 15, 16, 17, 18, 19],
    others: expect.any(Array),
  });
  expect(new Set(all.others).size).toBe(6);
  expect(all.others.every((index) => index < 14)).toBe(true);
  const isLeftOut = (index: number) => index > 16;
  expect(explainedFilms(twenty, { most: 99, threshold: 0.7, isLeftOut }).films).toEqual([
    14, 15, 16,
  ]);
  const draws = [0, 1, 2, 3].map((seed) =>
    explainedFilms(twenty, { most: 3, threshold: 0.7, seed }),
  );
  for (const { films } of draws) {
    expect(films).toHaveLength(3);
    expect(films).toEqual(films.toSorted((a, b) => a - b));
  }
  expect(new Set(draws.map(({ films }) => films.join())).size).toBeGreaterThan(1);
  expect(explainedFilms(twenty, { most: 3, threshold: 0.7, seed: 2 })).toEqual(draws[2]);
});

it("without a positive class the maps speak for what most films are called", () => {
  const three = setOf({ kind: "classes", classes: ["A", "B", "C"], positive: null }, [
    [0.5, 0.3, 0.2],
    [0.1, 0.2, 0.7],
    [0.3, 0.3, 0.4],
  ]);
  expect(explainedFilms(three, { most: 9, threshold: null })).toEqual({
    class: "C",
    films: [1, 2],
    others: [0, 0],
  });
  const findings = setOf({ kind: "findings", findings: ["Mass", "Edema"] }, [
    [0.6, 0.5],
    [0.2, 0.9],
    [0.1, 0.1],
  ]);
  expect(explainedFilms(findings, { most: 9, threshold: null })).toEqual({
    class: "Edema",
    films: [0, 1],
    others: [2, 2],
  });
  expect(explainedFilms(twenty, { most: 9, threshold: 0 }).others).toEqual([]);
});
