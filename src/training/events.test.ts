import { describe, expect, it } from "vitest";
import { eventsOf, type OnTrainEvent, type TrainEvent } from "./events.ts";

const caching = (done: number): TrainEvent => ({ kind: "caching", done, total: 9 });
const pause = () => new Promise((resolve) => setImmediate(resolve));

async function tell(onEvent: OnTrainEvent): Promise<string> {
  onEvent(caching(1));
  onEvent(caching(2));
  await pause();
  onEvent(caching(3));
  return "result";
}

describe("eventsOf", () => {
  it("yields events in order and returns the result", async () => {
    const stream = eventsOf(({ onEvent }) => tell(onEvent));
    for (const done of [1, 2, 3])
      expect(await stream.next()).toEqual({ done: false, value: caching(done) });
    expect(await stream.next()).toEqual({ done: true, value: "result" });
  });

  it("yields what came before a failure, then throws it", async () => {
    const stream = eventsOf(async ({ onEvent }) => {
      onEvent(caching(1));
      throw new Error("diverged");
    });
    expect((await stream.next()).value).toEqual(caching(1));
    await expect(stream.next()).rejects.toThrow("diverged");
  });

  it("stops the work and waits for it when the loop is left", async () => {
    let end = "";
    const stream = eventsOf(async ({ onEvent, signal }) => {
      for (let done = 1; !signal.aborted; done++) {
        onEvent(caching(done));
        await pause();
      }
      await pause();
      end = "saved";
      throw new Error("interrupted");
    });
    for await (const event of stream) if (event.kind === "caching" && event.done === 2) break;
    expect(end).toBe("saved");
  });
});
