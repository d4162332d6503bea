import { describe, expect, it } from "vitest";
import { weightGate } from "./gate.ts";

/** Work that ends when it is told to. */
function pending() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("weightGate", () => {
  it("lets in what fits, in the order of asking, and the rest as soon as there is room", async () => {
    const gate = weightGate(10);
    const log: string[] = [];
    const ask = (name: string, weight: number) => {
      const { ended, end } = pending();
      const result = gate(weight, async () => {
        log.push(name);
        await ended;
        return name;
      });
      return { end, result };
    };
    const [a, b, c, d] = [ask("a", 6), ask("b", 4), ask("c", 7), ask("d", 1)];
    await settled();
    expect(log).toEqual(["a", "b"]);
    b.end();
    await settled();
    // "d" would fit, but "c" asked before it.
    expect(log).toEqual(["a", "b"]);
    a.end();
    await settled();
    expect(log).toEqual(["a", "b", "c", "d"]);
    c.end();
    d.end();
    expect(await Promise.all([a, b, c, d].map(({ result }) => result))).toEqual([
      "a",
      "b",
      "c",
      "d",
    ]);
  });

  it("lets what is too heavy in alone, and gives its room back when it fails", async () => {
    const gate = weightGate(10);
    const heavy = gate(1000, () => Promise.reject(new Error("no film")));
    const light = gate(1, () => Promise.resolve("film"));
    await expect(heavy).rejects.toThrow("no film");
    expect(await light).toBe("film");
  });
});
