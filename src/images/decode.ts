/**
 * Bytes -> one grey image. The format is told by magic bytes (format.ts), its size is checked from
 * the header before anything is decoded, and whatever the decoder objects to is an error that names
 * the file: half an image is worse than none.
 */
import sharp, { type Metadata, type SharpOptions } from "sharp";
import { assert, HilumError, isHilumError } from "../errors.ts";
import { hasPngEnd, refusedFile } from "./damage.ts";
import { detectFormat } from "./format.ts";
import { weightGate } from "./gate.ts";
import {
  applyWindow,
  type GreyWindow,
  lumaOf,
  type WindowSetting,
  windowOfValues,
} from "./grey.ts";

export interface GreyImage {
  readonly width: number;
  readonly height: number;
  /** Row-major, `width * height` values, 0 black. */
  readonly pixels: Uint8Array;
  readonly source: {
    readonly format: string;
    readonly bitsPerSample: 8 | 16;
    /** What was mapped to 0..255; null for films of 8 bits, which are taken as they are. */
    readonly window: GreyWindow | null;
  };
}

export interface DecodeOptions {
  /** How messages call the file. */
  readonly name: string;
  /** For films of 16 bits; by default their percentiles (`WINDOW_PERCENTILES`) are used. */
  readonly window?: WindowSetting | undefined;
  readonly maxPixels?: number | undefined;
}

/** 100 megapixels: six times the largest detector in use, and 300 MB while a colour film is decoded. */
export const DEFAULT_MAX_PIXELS = 100_000_000;

/** Bytes of decoded films that are under way at one time: huge ones wait for each other. */
const decoding = weightGate(512 * 1024 * 1024);

/** libjpeg reports damaged data as a warning and goes on; libpng warns about harmless profiles. */
const FAIL_ON = { jpeg: "warning", png: "error" } as const;
const readingOf = (format: keyof typeof FAIL_ON): SharpOptions => ({
  failOn: FAIL_ON[format],
  limitInputPixels: false,
});

/**
 * Returns the film as one grey channel: EXIF orientation applied, colour to luma, transparency over
 * black, 16 bits to 8 through a window. Throws `image-empty`, `image-unrecognised`,
 * `image-unsupported`, `image-malformed` or `image-too-large`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions): Promise<GreyImage> {
  const { name, maxPixels = DEFAULT_MAX_PIXELS } = options;
  checkWindow(options.window);
  if (bytes.length === 0)
    throw new HilumError("image-empty", `${name} is empty. Copy it again from its source.`, {
      file: name,
    });
  const format = detectFormat(bytes);
  if (!format)
    throw new HilumError(
      "image-unrecognised",
      `${name} is not an image: its first bytes match no known format. Give JPEG or PNG files.`,
      { file: name, firstBytes: Buffer.from(bytes.subarray(0, 8)).toString("hex") },
    );
  if (!format.decoder)
    throw new HilumError("image-unsupported", `${name} is ${format.refusal}`, {
      file: name,
      format: format.name,
    });
  try {
    return await decodeWithSharp(bytes, format.decoder, { ...options, maxPixels });
  } catch (cause) {
    if (isHilumError(cause)) throw cause;
    throw refusedFile({ name, format: format.decoder, bytes, cause });
  }
}

function checkWindow(window: WindowSetting | undefined): void {
  if (!window || (Number.isFinite(window.center) && window.width > 0)) return;
  throw new HilumError(
    "invalid-option",
    `The window ${window.center},${window.width} is not a center and a width above 0. Give for example 2048,4096.`,
    { window },
  );
}

async function decodeWithSharp(
  bytes: Uint8Array,
  format: "jpeg" | "png",
  { name, window, maxPixels }: DecodeOptions & { readonly maxPixels: number },
): Promise<GreyImage> {
  const header = await sharp(bytes, readingOf(format)).metadata();
  const pixels = header.width * header.height;
  if (pixels > maxPixels)
    throw new HilumError(
      "image-too-large",
      `${name} has ${header.width} x ${header.height} pixels, more than the limit of ${maxPixels}. Scale it down, or raise the limit.`,
      { file: name, width: header.width, height: header.height, maxPixels },
    );
  if (format === "png" && !hasPngEnd(bytes)) throw refusedFile({ name, format, bytes });
  const isDeep = header.depth === "ushort";
  const weight = pixels * header.channels * (isDeep ? 2 : 1);
  return decoding(weight, () => decodeChecked(bytes, { name, format, window, header }));
}

interface CheckedFile {
  readonly name: string;
  readonly format: "jpeg" | "png";
  readonly window: WindowSetting | undefined;
  readonly header: Metadata;
}

async function decodeChecked(
  bytes: Uint8Array,
  { name, format, window, header }: CheckedFile,
): Promise<GreyImage> {
  const isDeep = header.depth === "ushort";
  // Asked for 8-bit grey, sharp drops an alpha channel: such films take the way of colour.
  const isGrey = header.space === (isDeep ? "grey16" : "b-w") && (isDeep || !header.hasAlpha);
  // A profile may describe ink: CMYK has to go through it. All other films keep their values.
  const pipeline = sharp(bytes, {
    ...readingOf(format),
    autoOrient: true,
    ignoreIcc: header.space !== "cmyk",
  })
    .toColourspace(isGrey ? (isDeep ? "grey16" : "b-w") : isDeep ? "rgb16" : "srgb")
    .raw({ depth: isDeep ? "ushort" : "uchar" });
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const samples = width * height * channels;
  assert(data.length === samples * (isDeep ? 2 : 1), `${name}: the decoder returned other sizes`);
  const values = isDeep
    ? new Uint16Array(data.buffer, data.byteOffset, samples)
    : new Uint8Array(data.buffer, data.byteOffset, samples);
  const luma = lumaOf({ width, height, channels, values });
  if (luma instanceof Uint8Array)
    return { width, height, pixels: luma, source: { format, bitsPerSample: 8, window: null } };
  const shown = windowOfValues(luma, window);
  return {
    width,
    height,
    pixels: applyWindow(luma, shown),
    source: { format, bitsPerSample: 16, window: shown },
  };
}
