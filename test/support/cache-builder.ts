/**
 * Builds an image cache in a process of its own, so that tests can have two at once or kill one:
 * `node --import tsx cache-builder.ts OPTIONS`, where OPTIONS is JSON. Says "progress N" as films
 * are done and prints a digest of all films at the end.
 */
import { hash } from "node:crypto";
import { buildImageCache, type Samples } from "../../src/datasets/index.ts";

interface Request {
  readonly samples: Samples;
  readonly dir: string;
  readonly size: number;
}

const { samples, dir, size } = JSON.parse(process.argv[2]!) as Request;
const cache = await buildImageCache(samples, {
  size,
  dir,
  onProgress: ({ done }) => process.stdout.write(`progress ${done}\n`),
});
const out = new Uint8Array(cache.count * size * size);
cache.readInto(Int32Array.from(out.subarray(0, cache.count).keys()), out);
cache.close();
process.stdout.write(`films ${cache.count} ${hash("sha256", out)}\n`);
