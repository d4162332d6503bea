/** Whether a file on disk is the one that its publisher states. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { Digest } from "./catalogue.ts";

export interface Statement {
  /** Null where it is not stated. */
  readonly bytes: number | null;
  readonly digest: Digest | null;
}

export interface Difference {
  readonly field: "bytes" | Digest["algorithm"];
  readonly expected: string | number;
  readonly found: string | number;
}

const PART_BYTES = 2 ** 22;

/** Digests of a file in hexadecimal, in one walk through it. */
export function digestsOf<A extends Digest["algorithm"]>(
  path: string,
  algorithms: readonly A[],
): Record<A, string> {
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  const part = new Uint8Array(PART_BYTES);
  const file = openSync(path, "r");
  try {
    for (let count = readSync(file, part); count > 0; count = readSync(file, part))
      for (const [, hash] of hashes) hash.update(part.subarray(0, count));
  } finally {
    closeSync(file);
  }
  const digests = hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]);
  return Object.fromEntries(digests) as Record<A, string>;
}

/** The first difference, or undefined for the file that is stated. */
export function differenceFrom(path: string, { bytes, digest }: Statement): Difference | undefined {
  const { size } = statSync(path);
  if (bytes !== null && size !== bytes) return { field: "bytes", expected: bytes, found: size };
  if (!digest) return undefined;
  const { algorithm, value } = digest;
  const found = digestsOf(path, [algorithm])[algorithm];
  return found.startsWith(value) ? undefined : { field: algorithm, expected: value, found };
}

const NAMES = { bytes: "bytes", md5: "MD5", sha256: "SHA-256" } as const;

/** "has MD5 ..., not ..." for messages. */
export function inWords({ field, expected, found }: Difference): string {
  return field === "bytes"
    ? `has ${found} bytes, not ${expected}`
    : `has ${NAMES[field]} ${found}, not ${expected}`;
}

/** "MD5 ..." for messages; empty where nothing is stated. */
export function statedDigest({ digest }: Statement): string {
  if (!digest) return "";
  const isWhole = digest.value.length === (digest.algorithm === "md5" ? 32 : 64);
  return `${NAMES[digest.algorithm]} ${digest.value}${isWhole ? "" : "..."}`;
}
