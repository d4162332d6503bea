/**
 * What to say of a file that its decoder refuses, told from the file's own structure. The decoder's
 * words are no help: it keeps them in one place for all threads, where they may be about another file.
 */
import { HilumError } from "../errors.ts";

interface RefusedFile {
  readonly name: string;
  readonly format: "jpeg" | "png";
  readonly bytes: Uint8Array;
  readonly cause?: unknown;
}

/** `image-unsupported` for a JPEG of a rare kind, else `image-malformed`. */
export function refusedFile({ name, format, bytes, cause }: RefusedFile): HilumError {
  const kind = format === "jpeg" ? rareJpegKind(bytes) : undefined;
  if (kind)
    return new HilumError(
      "image-unsupported",
      `${name} is ${kind}, which is not read. Convert it to PNG without loss.`,
      { file: name, format, reason: kind },
      cause,
    );
  const isCut = format === "jpeg" ? !hasJpegEnd(bytes) : !hasPngEnd(bytes);
  const reason = isCut ? "it ends too early" : "its contents are damaged";
  return new HilumError(
    "image-malformed",
    `${name} is a damaged or truncated ${format.toUpperCase()} file: ${reason}. Copy it again from its source.`,
    { file: name, format, reason },
    cause,
  );
}

/** Whether the last chunk is there; libpng does not miss it. Source: PNG specification, section 5.3. */
export function hasPngEnd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 8; offset + 12 <= bytes.length; offset += 12 + view.getUint32(offset))
    if (view.getUint32(offset + 4) === 0x49454e44) return true;
  return false;
}

function hasJpegEnd(bytes: Uint8Array): boolean {
  const marker = Buffer.from([0xff, 0xd9]);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(marker) > 0;
}

/** Frame markers beside baseline, extended and progressive Huffman. Source: ITU-T T.81, table B.1. */
const RARE_FRAMES: Readonly<Record<number, string>> = {
  195: "a lossless JPEG file",
  197: "a hierarchical JPEG file",
  198: "a hierarchical JPEG file",
  199: "a hierarchical JPEG file",
  201: "an arithmetic-coded JPEG file",
  202: "an arithmetic-coded JPEG file",
  203: "an arithmetic-coded JPEG file",
  205: "a hierarchical JPEG file",
  206: "a hierarchical JPEG file",
  207: "a hierarchical JPEG file",
};
const COMMON_FRAMES = new Set([192, 193, 194]);

/** What the first frame header says, where that is not the usual; undefined otherwise. */
function rareJpegKind(bytes: Uint8Array): string | undefined {
  for (let offset = 2; bytes[offset] === 0xff; ) {
    const marker = bytes[offset + 1]!;
    // Markers may be padded with any number of 0xff.
    if (marker === 0xff) {
      offset++;
      continue;
    }
    if (RARE_FRAMES[marker]) return RARE_FRAMES[marker];
    if (COMMON_FRAMES.has(marker)) {
      const precision = bytes[offset + 4];
      return precision === 8 ? undefined : `a JPEG file of ${precision} bits`;
    }
    offset += 2 + 256 * bytes[offset + 2]! + bytes[offset + 3]!;
  }
  return undefined;
}
