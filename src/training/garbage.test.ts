import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { garbageCollector } from "./garbage.ts";

/** A list of that many bytes on V8's heap that nothing holds, told of by a weak reference. */
function garbage(bytes: number): WeakRef<object> {
  const list = Array.from({ length: bytes / 8 }, (_, index) => index + 0.5);
  return new WeakRef(list);
}

describe("collecting garbage", () => {
  it("gives back what came since the last time, where that is much", async () => {
    const collect = garbageCollector();
    const much = garbage(2 ** 26);
    // A weak reference holds its object to the end of the turn that made it.
    await setImmediate();
    await collect();
    expect(much.deref()).toBeUndefined();
  });

  it("is left to V8 where little came", async () => {
    const before = garbageCollector();
    garbage(2 ** 26);
    await setImmediate();
    await before();
    const collect = garbageCollector();
    const little = garbage(2 ** 16);
    await setImmediate();
    await collect();
    expect(little.deref()).toBeDefined();
  });
});
