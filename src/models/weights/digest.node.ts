/** Whether a file on disk is the one that its publisher states. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
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

/** The first difference, or undefined for the file that is stated. */
export async function differenceFrom(
  path: string,
  { bytes, digest }: Statement,
): Promise<Difference | undefined> {
  const { size } = await stat(path);
  if (bytes !== null && size !== bytes) return { field: "bytes", expected: bytes, found: size };
  if (!digest) return undefined;
  const { algorithm, value } = digest;
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  const found = hash.digest("hex");
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
