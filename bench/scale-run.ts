/** One `train` run in a process of its own, timed by its events: `scale-run.ts FILMS OUT CACHE`. */
import { readFileSync } from "node:fs";
import { train } from "../src/training/index.ts";

const [films, out, cacheFolder] = process.argv.slice(2) as [string, string, string];
/** The first epoch also warms up; the second is the one that is timed. */
const EPOCHS = 2;

const begun = performance.now();
const times = { cached: begun, started: begun, finished: begun };
let images = 0;
await train(
  films,
  {
    model: "cnn",
    width: 0.25,
    size: 32,
    batch: 32,
    epochs: EPOCHS,
    threads: 2,
    schedule: "constant",
  },
  {
    out,
    cacheFolder,
    onEvent(event) {
      const now = performance.now();
      if (event.kind === "caching") times.cached = now;
      if (event.kind === "started") images = event.train + event.validation;
      if (event.kind === "epochStarted") times.started = now;
      if (event.kind === "epoch") times.finished = now;
    },
  },
);
const status = readFileSync("/proc/self/status", "utf8");
const report = {
  images,
  /** From the start of `train`: finding, hashing, decoding, resizing, writing. */
  cacheMicroseconds: (1000 * (times.cached - begun)) / images,
  /** Reading, augmenting, stepping, validating. */
  epochMicroseconds: (1000 * (times.finished - times.started)) / images,
  peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
