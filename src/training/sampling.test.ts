import { describe, expect, it } from "vitest";
import { epochOrder, stepsOf } from "./sampling.ts";

const sorted = (order: Iterable<number>) => [...order].sort((a, b) => a - b);

describe("epochOrder", () => {
  it("shows each sample at most once and drops what fills no step", () => {
    const order = epochOrder(103, { seed: 1, epoch: 0, step: 10 });
    expect(order.length).toBe(100);
    expect(new Set(order).size).toBe(100);
    expect(Math.max(...order)).toBeLessThan(103);
  });

  it("drops others in another epoch", () => {
    const dropped = (epoch: number) => {
      const order = new Set(epochOrder(12, { seed: 1, epoch, step: 10 }));
      return [...Array(12).keys()].filter((index) => !order.has(index)).join();
    };
    expect(new Set([0, 1, 2, 3, 4].map(dropped)).size).toBeGreaterThan(1);
  });

  it("is a function of seed and epoch", () => {
    const order = (seed: number, epoch: number) => epochOrder(50, { seed, epoch, step: 5 }).join();
    expect(order(1, 3)).toBe(order(1, 3));
    expect(order(1, 3)).not.toBe(order(1, 4));
    expect(order(1, 3)).not.toBe(order(2, 3));
    expect(order(1, 3)).not.toBe([...Array(50).keys()].join());
  });

  it("lets samples come round again where one step takes more than there are", () => {
    const order = epochOrder(3, { seed: 1, epoch: 0, step: 7 });
    expect(order.length).toBe(7);
    expect(sorted(order.subarray(0, 3))).toEqual([0, 1, 2]);
    expect(order.subarray(3, 6)).toEqual(order.subarray(0, 3));
  });

  it("draws classes equally often when balanced, and every sample of the smallest", () => {
    const classes = [...Array(90).fill(0), ...Array(10).fill(1)] as number[];
    const order = epochOrder(100, { seed: 1, epoch: 0, step: 10, classes });
    const ofClass = (name: number) => [...order].filter((index) => classes[index] === name);
    expect(ofClass(0).length).toBe(50);
    expect(new Set(ofClass(0)).size).toBe(50);
    expect(ofClass(1).length).toBe(50);
    for (let index = 90; index < 100; index++)
      expect(ofClass(1).filter((drawn) => drawn === index).length).toBe(5);
  });
});

describe("stepsOf", () => {
  it("counts whole steps, and one where there are too few samples", () => {
    expect(stepsOf(103, 10)).toBe(10);
    expect(stepsOf(3, 10)).toBe(1);
  });
});
