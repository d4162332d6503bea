/** Published weights in the cache folder: found, fetched, or brought by the user. */
import { constants, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { defaultCacheFolder } from "../../cache-folder.node.ts";
import { HilumError, isHilumError } from "../../errors.ts";
import { backboneEntry } from "../backbones/table.ts";
import { expectedTensors } from "./backbone-graph.ts";
import {
  type CatalogueEntry,
  type ConvertedFile,
  catalogueEntry,
  type PublishedFile,
} from "./catalogue.ts";
import { differenceFrom, inWords, statedDigest } from "./digest.node.ts";
import { type DownloadOptions, download } from "./download.node.ts";
import { fitWeights } from "./fit-weights.ts";
import { readWeights } from "./read-weights.node.ts";

export interface PretrainedOptions {
  /** Where weights are kept; `weights` in the cache folder by default. */
  readonly dir?: string | undefined;
  /** Whether the publisher's classifier is needed, which some publishers' smaller files lack. */
  readonly withTop?: boolean | undefined;
}

export interface PullOptions
  extends PretrainedOptions,
    Pick<DownloadOptions, "signal" | "onProgress" | "onWait" | "patience"> {
  /** Of the file, or of the folder that holds it under its publisher's name. */
  readonly mirror?: string | undefined;
  /** A file on this machine in place of a download. */
  readonly file?: string | undefined;
}

export interface Pulled {
  readonly backbone: string;
  /** In the cache. */
  readonly path: string;
  /** The address or file that it came from; "cache" where it was there already. */
  readonly from: string;
  /** Whether it equals what its publisher states; false where nothing is stated. */
  readonly isVerified: boolean;
  /** One line that makes the file that is read of it; null where it is read itself. */
  readonly conversion: string | null;
}

/** `weights` in `HILUM_CACHE` or the user's cache folder. */
export function weightsFolder(): string {
  return join(defaultCacheFolder(), "weights");
}

/**
 * The path of the backbone's published weights in the cache, verified. Throws `weights-missing`
 * with what to put where, `weights-unverified` and `unknown-model`.
 */
export function pretrainedWeights(
  backbone: string,
  { dir = weightsFolder(), withTop = false }: PretrainedOptions = {},
): string {
  const entry = catalogueEntry(backboneEntry(backbone).name);
  const files = readableFiles(entry, withTop);
  const found = files.find(({ name }) => existsSync(join(dir, name)));
  if (!found) throw missing(entry, files[0]!, { dir, withTop });
  const path = join(dir, found.name);
  const difference = differenceFrom(path, found);
  // A converted file may be as good as the one that was measured; whether it fits is seen on use.
  if (difference && found !== entry.converted)
    throw new HilumError(
      "weights-unverified",
      `${path} ${inWords(difference)}, which its publisher states. Delete it and run: hilum backbones pull ${backbone}`,
      { path, ...difference },
    );
  return path;
}

/** The cached file that `pretrainedWeights` would take, unverified, or null. */
export function cachedWeights(entry: CatalogueEntry, dir: string): string | null {
  const found = readableFiles(entry, false).find(({ name }) => existsSync(join(dir, name)));
  return found ? join(dir, found.name) : null;
}

function readableFiles(
  { files, converted }: CatalogueEntry,
  withTop: boolean,
): readonly (PublishedFile | ConvertedFile)[] {
  return converted ? [converted] : files.filter(({ hasTop }) => hasTop || !withTop);
}

/**
 * Brings the backbone's published weights into the cache. Throws `download-failed`,
 * `weights-unverified`, `weights-missing` (the publisher states no digest: bring the file),
 * `weights-mismatch`, `folder-locked`, `disk-full` and `interrupted`.
 */
export async function pullWeights(backbone: string, options: PullOptions = {}): Promise<Pulled> {
  const { dir = weightsFolder(), withTop = false, file, mirror } = options;
  const entry = catalogueEntry(backboneEntry(backbone).name);
  mkdirSync(dir, { recursive: true });
  if (file !== undefined) return bring(entry, file, dir);
  const { converted } = entry;
  if (converted && existsSync(join(dir, converted.name))) {
    const path = join(dir, converted.name);
    const isVerified = !!converted.digest && !differenceFrom(path, converted);
    return { backbone, path, from: "cache", isVerified, conversion: null };
  }
  const published = entry.files.find(({ hasTop }) => hasTop || !withTop);
  if (!published) throw missing(entry, converted!, { dir, withTop });
  const path = join(dir, published.name);
  const url = mirror === undefined ? published.url : mirrored(mirror, published.name);
  const isThere = existsSync(path) && !differenceFrom(path, published);
  if (!isThere)
    await download({ ...published, ...options, url, path }).catch((error) => {
      throw withOfflineAdvice(error, published, path);
    });
  return {
    backbone,
    path,
    from: isThere ? "cache" : url,
    isVerified: true,
    conversion: converted ? conversionIn(dir, converted) : null,
  };
}

function mirrored(mirror: string, name: string): string {
  if (!/^https?:\/\/./.test(mirror) || !URL.canParse(mirror))
    throw new HilumError(
      "invalid-option",
      `Option mirror is "${mirror}", which is no address. Name one that begins with http:// or https://.`,
      { option: "mirror", value: mirror },
    );
  return mirror.endsWith(`/${name}`) ? mirror : `${mirror.replace(/\/$/, "")}/${name}`;
}

/** A file that equals a published one, or that fits the network where none can be read. */
async function bring(entry: CatalogueEntry, file: string, dir: string): Promise<Pulled> {
  const { backbone, converted } = entry;
  if (!existsSync(file))
    throw new HilumError("file-not-found", `There is no weight file "${file}". Check the path.`, {
      path: file,
    });
  for (const published of entry.files) {
    if (differenceFrom(file, published)) continue;
    const path = await placed(file, join(dir, published.name));
    const conversion = converted ? conversionIn(dir, converted) : null;
    return { backbone, path, from: file, isVerified: true, conversion };
  }
  if (!converted) {
    const stated = entry.files.map((published) => `${published.name}: ${statedDigest(published)}`);
    throw new HilumError(
      "weights-unverified",
      `${file} is none of the publisher's files of ${backbone} (${stated.join("; ")}). To use it all the same, name it itself: --weights ${file}`,
      { file, stated },
    );
  }
  fitWeights(expectedTensors(backboneEntry(backbone)), await readWeights(file));
  const isVerified = !!converted.digest && !differenceFrom(file, converted);
  const path = await placed(file, join(dir, converted.name));
  return { backbone, path, from: file, isVerified, conversion: null };
}

async function placed(file: string, path: string): Promise<string> {
  if (resolve(file) === resolve(path)) return path;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await copyFile(file, temporary, constants.COPYFILE_FICLONE);
    renameSync(temporary, path);
    return path;
  } finally {
    rmSync(temporary, { force: true });
  }
}

const conversionIn = (dir: string, { how }: ConvertedFile): string =>
  `cd '${resolve(dir)}' && ${how}`;

function missing(
  { backbone, files, converted, cited }: CatalogueEntry,
  wanted: PublishedFile | ConvertedFile,
  { dir, withTop }: { dir: string; withTop: boolean },
): HilumError {
  const published = files.find(({ hasTop }) => hasTop || !withTop);
  const path = join(dir, wanted.name);
  const parts = published
    ? [
        `The published weights of ${backbone} are not in the cache. Run: hilum backbones pull ${backbone}${withTop ? " --with-top" : ""}.`,
        `Without a connection: put ${published.name} (${statedDigest(published)}) from ${published.url} at ${join(dir, published.name)}`,
      ]
    : [
        `The weights of ${backbone} are not fetched, for their publisher states no digest (${cited}). Bring your own file: it is read from ${path}`,
      ];
  if (converted)
    parts.push(
      `${published ? "and make what is read of it" : "and made by"}: ${conversionIn(dir, converted)}`,
    );
  return new HilumError("weights-missing", parts.join(" "), {
    backbone,
    path,
    url: published?.url ?? null,
    digest: published?.digest ?? null,
    conversion: converted ? conversionIn(dir, converted) : null,
  });
}

function withOfflineAdvice(error: unknown, published: PublishedFile, path: string): unknown {
  if (!isHilumError(error) || error.code !== "download-failed") return error;
  const { name, url } = published;
  return new HilumError(
    "download-failed",
    `${error.message} Or fetch ${url} elsewhere and put it at ${path} (${statedDigest(published)}).`,
    { ...error.details, file: name, path },
    error.cause,
  );
}
