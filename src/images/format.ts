/**
 * What a file is, told by its first bytes. The table is searched from the top; a format without a
 * `decoder` is recognised so that its message can say what it is and what to do.
 */

export interface ImageFormat {
  readonly name: string;
  /** Which decoder of decode.ts reads it; absent where none does. */
  readonly decoder?: "jpeg" | "png";
  /** Why it is not read and what helps, completing "FILE is ...". */
  readonly refusal?: string;
  matches(bytes: Uint8Array): boolean;
}

const at =
  (offset: number, ...signature: readonly (number | string)[]) =>
  (bytes: Uint8Array): boolean => {
    const expected = signature.flatMap((part) => (typeof part === "number" ? part : codes(part)));
    return expected.every((value, i) => bytes[offset + i] === value);
  };

const codes = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const convert = (what: string): string =>
  `${what}, which is not read. Convert it to PNG without loss.`;

const DICOM = "a DICOM file; DICOM is not yet read. Export the film as a PNG file for now.";

export const IMAGE_FORMATS: readonly ImageFormat[] = [
  { name: "jpeg", decoder: "jpeg", matches: at(0, 0xff, 0xd8, 0xff) },
  { name: "png", decoder: "png", matches: at(0, 0x89, "PNG\r\n", 0x1a, "\n") },
  { name: "dicom", refusal: DICOM, matches: at(128, "DICM") },
  { name: "dicom", refusal: DICOM, matches: isBareDicom },
  { name: "gif", refusal: convert("a GIF image"), matches: at(0, "GIF8") },
  { name: "webp", refusal: convert("a WebP image"), matches: isWebp },
  { name: "tiff", refusal: convert("a TIFF image"), matches: at(0, "II*", 0) },
  { name: "tiff", refusal: convert("a TIFF image"), matches: at(0, "MM", 0, "*") },
  { name: "tiff", refusal: convert("a BigTIFF image"), matches: at(0, "II+", 0) },
  { name: "bmp", refusal: convert("a BMP image"), matches: isBmp },
  { name: "jpeg2000", refusal: convert("a JPEG 2000 image"), matches: at(4, "jP  \r\n") },
  {
    name: "jpeg2000",
    refusal: convert("a JPEG 2000 image"),
    matches: at(0, 0xff, 0x4f, 0xff, 0x51),
  },
  { name: "jxl", refusal: convert("a JPEG XL image"), matches: at(4, "JXL \r\n") },
  { name: "heif", refusal: convert("an HEIF or AVIF image"), matches: isHeif },
  { name: "nifti", refusal: convert("a NIfTI volume"), matches: at(344, "n+1", 0) },
  { name: "pgm", refusal: convert("a PGM or PPM image"), matches: isNetpbm },
  { name: "svg", refusal: convert("an SVG drawing"), matches: at(0, "<svg") },
  { name: "pdf", refusal: convert("a PDF document"), matches: at(0, "%PDF") },
  { name: "zip", refusal: "a ZIP archive. Unpack it first.", matches: at(0, "PK", 3, 4) },
  { name: "gzip", refusal: "a gzip archive. Unpack it first.", matches: at(0, 0x1f, 0x8b) },
];

/** The format that the bytes begin like, or undefined. */
export function detectFormat(bytes: Uint8Array): ImageFormat | undefined {
  return IMAGE_FORMATS.find((format) => format.matches(bytes));
}

/**
 * Old exports lack the 128-byte preamble and begin with a data element: group 0002 or 0008, a
 * small element number and, where the syntax is explicit, a value representation in capitals.
 */
function isBareDicom(bytes: Uint8Array): boolean {
  const group = bytes[0];
  if ((group !== 0x02 && group !== 0x08) || bytes[1] !== 0 || bytes[3] !== 0) return false;
  if (bytes.length < 16 || (bytes[2] ?? 255) > 0x18) return false;
  const isImplicit = bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0;
  return isImplicit || /^(UL|OB|UI|CS|SH|DA|TM|LO)$/.test(ascii(bytes, 4, 6));
}

function isWebp(bytes: Uint8Array): boolean {
  return ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP";
}

/** "BM" alone begins too many texts: the reserved fields must be zero as well. */
function isBmp(bytes: Uint8Array): boolean {
  return at(0, "BM")(bytes) && at(6, 0, 0, 0, 0)(bytes);
}

function isHeif(bytes: Uint8Array): boolean {
  return /^ftyp(heic|heix|hevc|mif1|msf1|avif|avis)$/.test(ascii(bytes, 4, 12));
}

function isNetpbm(bytes: Uint8Array): boolean {
  return /^P[1-6]\s/.test(ascii(bytes, 0, 3));
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
