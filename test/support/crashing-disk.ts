/**
 * A process that dies at a chosen moment, without a process. Only file operations change what a
 * kill -9 leaves behind, so dying before each of them in turn, and in the middle of each write, is
 * dying at every instant. From that operation on none takes effect, not even those that clean up.
 *
 * In the test file, so that everything under test writes through here:
 * `vi.mock("node:fs", async () => (await import("PATH/crashing-disk.ts")).crashableFs())`.
 */
// Not an import: that would be this very replacement.
const fs = process.getBuiltinModule("node:fs");

/** Functions through which Hilum changes a folder. Reading, closing and syncing change nothing. */
const CHANGES = [
  "openSync",
  "writeSync",
  "writeFileSync",
  "renameSync",
  "linkSync",
  "rmSync",
  "rmdirSync",
  "mkdirSync",
] as const;

type Name = (typeof CHANGES)[number];
type Change = (...given: unknown[]) => unknown;

class Crash extends Error {}

interface Watch {
  readonly folder: string;
  readonly at: number;
  changes: number;
  /** Descriptors of files below the folder. */
  readonly files: Set<unknown>;
}

let watch: Watch | undefined;

/** `node:fs` as it is, but for the moments that `crashingAt` chooses. */
export function crashableFs(): object {
  const originals = fs as unknown as Readonly<Record<Name, Change>>;
  const watched = Object.fromEntries(
    CHANGES.map((name) => [name, (...given: unknown[]) => change(originals, name, given)]),
  );
  return { ...fs, ...watched, default: { ...fs, ...watched } };
}

function change(originals: Readonly<Record<Name, Change>>, name: Name, given: unknown[]): unknown {
  const [target, how = "r"] = given;
  const isReading = name === "openSync" && how === "r";
  if (!watch || isReading || !isBelow(watch, target)) return originals[name](...given);
  watch.changes++;
  if (watch.changes === watch.at && name === "writeSync") {
    const [file, bytes, offset, length] = given as [number, Uint8Array, number, number];
    originals.writeSync(file, bytes, offset, Math.floor(length / 2));
  }
  if (watch.changes >= watch.at) throw new Crash(`died before ${name} ${String(target)}`);
  const result = originals[name](...given);
  if (name === "openSync") watch.files.add(result);
  return result;
}

function isBelow({ folder, files }: Watch, target: unknown): boolean {
  return files.has(target) || (typeof target === "string" && target.startsWith(folder));
}

export interface CrashReport<T> {
  /** Changes that were made, or begun, below the folder. */
  readonly changes: number;
  /** What the work returned; undefined where it died. */
  readonly result: T | undefined;
}

/**
 * Does the work; the change number `at` below the folder is left half done (a write) or undone, and
 * all later ones do not happen. With `at` beyond the last one the work is not disturbed.
 */
export async function crashingAt<T>(
  at: number,
  folder: string,
  work: () => Promise<T>,
): Promise<CrashReport<T>> {
  const own: Watch = { folder, at, changes: 0, files: new Set() };
  watch = own;
  try {
    return { result: await work(), changes: own.changes };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { result: undefined, changes: own.changes };
  } finally {
    watch = undefined;
  }
}
