import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { duration, progressBars } from "./progress.ts";

let said: string[];
const { isTTY } = process.stderr;

beforeEach(() => {
  said = [];
  vi.useFakeTimers({ toFake: ["performance"] });
  process.stderr.isTTY = false;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  process.stderr.isTTY = isTTY;
});

const wait = (seconds: number) => vi.advanceTimersByTime(1000 * seconds);

describe("progress without a terminal", () => {
  it("says nothing of work that is done at once, then a line now and then", () => {
    const bars = progressBars();
    bars.update("reading", 1, 50);
    wait(1.9);
    bars.update("reading", 2, 50);
    expect(said).toEqual([]);
    wait(0.2);
    bars.update("reading", 3, 50, "2 min left");
    wait(14);
    bars.update("reading", 4, 50);
    wait(1.1);
    bars.update("reading", 5, 50);
    expect(said).toEqual(["reading 3/50 2 min left\n", "reading 5/50 \n"]);
  });

  it("begins anew with another title, and with the same one after its end", () => {
    const bars = progressBars();
    const told = (title: string, done: number, total: number) => {
      said.length = 0;
      bars.update(title, done, total);
      return said.length;
    };
    told("reading", 0, 9);
    wait(3);
    expect(told("reading", 1, 9)).toBe(1);
    wait(3);
    expect(told("writing", 1, 2)).toBe(0);
    wait(3);
    expect(told("writing", 2, 2)).toBe(1);
    expect(told("writing", 0, 2)).toBe(0);
    wait(3);
    expect(told("writing", 1, 2)).toBe(1);
    bars.stop();
    wait(20);
    expect(told("writing", 1, 2)).toBe(0);
  });
});

describe("duration", () => {
  it.each([
    [0.4, "0 s"],
    [59.4, "59 s"],
    [60, "1 min 0 s"],
    [3599, "59 min 59 s"],
    [7260, "2 h 1 min"],
    [-3, "0 s"],
  ])("of %d seconds is %s", (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});
