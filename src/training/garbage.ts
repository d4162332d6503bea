/** Memory that a run no longer needs, given back before V8 would. */
import { getHeapStatistics } from "node:v8";

/** So much new since the last collection is worth the 0.1 s that one takes. */
const WORTHWHILE_BYTES = 2 ** 24;

/**
 * Collects what is garbage where 16 MB and more came since the last time. V8 by itself lets a heap
 * of 40 MB grow to 150 before it looks, so that a run of 100,000 films took 80 MB more than one of
 * 1,000, nearly all of it garbage of the beginning. Where there is no inspector V8 is left alone.
 */
export function garbageCollector(): () => Promise<void> {
  let kept = heldBytes();
  return async () => {
    if (heldBytes() - kept < WORTHWHILE_BYTES) return;
    await collect().catch(() => undefined);
    kept = heldBytes();
  };
}

async function collect(): Promise<void> {
  const { Session } = await import("node:inspector/promises");
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
