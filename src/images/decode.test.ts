import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { isHilumError } from "../errors.ts";
import { decodeImage } from "./decode.ts";

const decode = (bytes: Uint8Array, options = {}) =>
  decodeImage(bytes, { name: "film.png", ...options });

/** A value that differs at every place, so that turned and mirrored copies can be told apart. */
const ramp = (length: number, step = 1) => Uint8Array.from({ length }, (_, i) => (i * step) % 256);
const raw = (
  values: Uint8Array | Uint16Array,
  width: number,
  height: number,
  channels: 1 | 2 | 3 | 4,
) => sharp(values, { raw: { width, height, channels } });

const greyPng = () => raw(ramp(12, 7), 4, 3, 1).toColourspace("b-w").png().toBuffer();
const noisyJpeg = () =>
  raw(
    Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * i * 31) % 251),
    64,
    64,
    1,
  )
    .toColourspace("b-w")
    .jpeg()
    .toBuffer();

describe("decodeImage", () => {
  it("returns an 8-bit grey PNG as it is", async () => {
    const image = await decode(await greyPng());
    expect(image).toEqual({
      width: 4,
      height: 3,
      pixels: ramp(12, 7),
      source: { format: "png", bitsPerSample: 8, window: null },
    });
  });

  it("returns three equal channels as that channel, for every value", async () => {
    const values = ramp(256);
    const rgb = Uint8Array.from({ length: 768 }, (_, i) => values[Math.floor(i / 3)]!);
    const image = await decode(await raw(rgb, 16, 16, 3).png().toBuffer());
    expect(image.pixels).toEqual(values);
  });

  it("returns a grey JPEG and its copy in three channels alike", async () => {
    const grey = await noisyJpeg();
    const pixels = (await decode(grey)).pixels;
    const colour = await raw(pixels, 64, 64, 1).toColourspace("srgb").png().toBuffer();
    expect((await sharp(colour).metadata()).channels).toBe(3);
    expect((await decode(colour)).pixels).toEqual(pixels);
  });

  it("weighs colours by Rec. 601", async () => {
    const rgb = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    const image = await decode(await raw(rgb, 4, 1, 3).png().toBuffer());
    expect([...image.pixels]).toEqual([76, 150, 29, 255]);
  });

  it("lays transparency over black, in grey and in colour", async () => {
    const greyAlpha = Uint8Array.from([200, 255, 200, 128, 200, 0]);
    const grey = await raw(greyAlpha, 3, 1, 2).toColourspace("b-w").png().toBuffer();
    expect([...(await decode(grey)).pixels]).toEqual([200, 100, 0]);
    const rgba = Uint8Array.from([9, 9, 9, 255, 100, 100, 100, 51]);
    expect([...(await decode(await raw(rgba, 2, 1, 4).png().toBuffer())).pixels]).toEqual([9, 20]);
  });

  it("applies each of the eight EXIF orientations", async () => {
    // Top-left, top-right, bottom-left, bottom-right of the film as it is to be seen.
    const corners: Record<number, readonly number[]> = {
      1: [0, 40, 160, 200],
      2: [40, 0, 200, 160],
      3: [200, 160, 40, 0],
      4: [160, 200, 0, 40],
      5: [0, 160, 40, 200],
      6: [160, 0, 200, 40],
      7: [200, 40, 160, 0],
      8: [40, 200, 0, 160],
    };
    for (const [orientation, expected] of Object.entries(corners)) {
      const bytes = await raw(Uint8Array.from([0, 20, 40, 160, 180, 200]), 3, 2, 1)
        .toColourspace("b-w")
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer();
      const { width, height, pixels } = await decode(bytes);
      const found = [0, width - 1, (height - 1) * width, height * width - 1].map((i) => pixels[i]);
      expect([orientation, width, found]).toEqual([
        orientation,
        Number(orientation) > 4 ? 2 : 3,
        expected,
      ]);
    }
  });

  it("maps 16 bits by the stated percentiles and records them", async () => {
    const values = Uint16Array.from({ length: 1000 }, (_, i) => 1000 + i);
    values[0] = 0;
    values[999] = 65535;
    const bytes = await raw(values, 100, 10, 1).toColourspace("grey16").png().toBuffer();
    const image = await decode(bytes);
    expect(image.source).toEqual({
      format: "png",
      bitsPerSample: 16,
      window: { low: 1004, high: 1994 },
    });
    expect([image.pixels[0], image.pixels[4], image.pixels[499], image.pixels[994]]).toEqual([
      0, 0, 128, 255,
    ]);
  });

  it("maps 16 bits by a window where one is given", async () => {
    const bytes = await raw(Uint16Array.from([0, 1000, 2000, 3000, 65535]), 5, 1, 1)
      .toColourspace("grey16")
      .png()
      .toBuffer();
    const image = await decode(bytes, { window: { center: 2000, width: 2000 } });
    expect(image.source.window).toEqual({ low: 1000, high: 3000 });
    expect([...image.pixels]).toEqual([0, 0, 128, 255, 255]);
  });

  it("reads 16-bit colour and 16-bit grey with alpha", async () => {
    const window = { center: 32767.5, width: 65535 };
    const rgb = Uint16Array.from([25700, 25700, 25700, 65535, 0, 0]);
    const colour = await raw(rgb, 2, 1, 3).toColourspace("rgb16").png().toBuffer();
    expect([...(await decode(colour, { window })).pixels]).toEqual([100, 76]);
    const greyAlpha = Uint16Array.from([51400, 65535, 51400, 32768]);
    const grey = await raw(greyAlpha, 2, 1, 2).toColourspace("grey16").png().toBuffer();
    expect([...(await decode(grey, { window })).pixels]).toEqual([200, 100]);
  });

  it("maps a 16-bit film of one value to black", async () => {
    const bytes = await raw(new Uint16Array(9).fill(500), 3, 3, 1)
      .toColourspace("grey16")
      .png()
      .toBuffer();
    expect([...(await decode(bytes)).pixels]).toEqual(Array(9).fill(0));
  });

  it("ignores a colour profile", async () => {
    const bytes = await raw(ramp(64, 4), 8, 8, 1).withIccProfile("p3").png().toBuffer();
    const plain = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    const { pixels } = await decode(bytes);
    expect(plain.filter((_, i) => i % 3 === 0)).toEqual(Buffer.from(pixels));
  });

  it("reads palettes, single bits and interlaced rows as what they show", async () => {
    const grey = Uint8Array.from({ length: 64 * 16 }, (_, i) => (i % 2 ? 255 : 0));
    const film = () => raw(grey, 64, 16, 1);
    const palette = await film().png({ palette: true, colours: 2 }).toBuffer();
    // One bit a pixel, as the header says.
    expect(palette[24]).toBe(1);
    const interlaced = await film().toColourspace("b-w").png({ progressive: true }).toBuffer();
    for (const bytes of [palette, interlaced]) expect((await decode(bytes)).pixels).toEqual(grey);
  });

  it("reads ink as the grey that it prints", async () => {
    const grey = Uint8Array.from({ length: 64 * 64 }, (_, i) => 90 + 50 * Math.floor(i / 1024));
    const bytes = await raw(grey, 64, 64, 1)
      .toColourspace("cmyk")
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const { pixels } = await decode(bytes);
    // Ink is never quite black; the way through its profile and back costs a few grey levels.
    for (const row of [8, 24, 40, 56])
      expect(Math.abs(pixels[row * 64 + 30]! - grey[row * 64 + 30]!)).toBeLessThan(16);
  });

  it("refuses a window without width", async () => {
    const bytes = await greyPng();
    await expect(decode(bytes, { window: { center: 1, width: 0 } })).rejects.toMatchObject({
      code: "invalid-option",
    });
  });
});

describe("decodeImage of what is no film", () => {
  const start = (text: string, offset = 0) => {
    const bytes = new Uint8Array(400);
    bytes.set(Buffer.from(text, "latin1"), offset);
    return bytes;
  };

  it.each([
    ["an empty file", new Uint8Array(), "image-empty", /film\.png is empty/],
    ["a text", Buffer.from("path,label\n"), "image-unrecognised", /not an image/],
    ["DICOM", start("DICM", 128), "image-unsupported", /DICOM is not yet read/],
    ["bare explicit DICOM", start("\x08\0\x05\0CS\n\0ISO_IR 100"), "image-unsupported", /DICOM/],
    ["bare implicit DICOM", start("\x08\0\x05\0\n\0\0\0ISO_IR 100"), "image-unsupported", /DICOM/],
    ["GIF", start("GIF89a"), "image-unsupported", /GIF/],
    ["WebP", start("RIFF....WEBPVP8 "), "image-unsupported", /WebP/],
    ["little-endian TIFF", start("II*\0"), "image-unsupported", /TIFF/],
    ["big-endian TIFF", start("MM\0*"), "image-unsupported", /TIFF/],
    ["BMP", start("BM1234\0\0\0\0"), "image-unsupported", /BMP/],
    ["PDF", start("%PDF-1.7"), "image-unsupported", /PDF/],
    ["ZIP", start("PK\x03\x04"), "image-unsupported", /Unpack/],
    ["a bare JPEG start", Uint8Array.from([255, 216, 255]), "image-malformed", /truncated JPEG/],
  ])("names %s", async (_, bytes, code, message) => {
    await expect(decode(bytes)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it("refuses a JPEG cut off anywhere, even in its last byte", async () => {
    const bytes = await noisyJpeg();
    for (const length of [4, 30, bytes.length >> 2, bytes.length >> 1, bytes.length - 1])
      await expect(decode(bytes.subarray(0, length))).rejects.toMatchObject({
        code: "image-malformed",
        message: expect.stringContaining("film.png"),
      });
  });

  it("refuses a PNG cut off anywhere, even before its empty last chunk", async () => {
    const bytes = await greyPng();
    for (const length of [8, 20, bytes.length >> 1, bytes.length - 13, bytes.length - 12])
      await expect(decode(bytes.subarray(0, length))).rejects.toMatchObject({
        code: "image-malformed",
      });
  });

  it("refuses a 12-bit JPEG as unsupported, not as corrupt", async () => {
    const bytes = await noisyJpeg();
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    bytes[frame + 4] = 12;
    await expect(decode(bytes)).rejects.toMatchObject({ code: "image-unsupported" });
  });

  it("says of each of many files that are decoded at once what is wrong with that one", async () => {
    const whole = await noisyJpeg();
    const cut = whole.subarray(0, whole.length - 2);
    const deep = Uint8Array.from(whole);
    deep[whole.indexOf(Buffer.from([0xff, 0xc0])) + 4] = 12;
    const lossless = Uint8Array.from(whole);
    lossless[whole.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc3;
    const changed = Buffer.from(await greyPng());
    changed[changed.indexOf("IDAT") + 8]! ^= 0x55;
    const films: [Uint8Array, RegExp][] = [
      [cut, /^\d+ is a damaged or truncated JPEG file: it ends too early\./],
      [deep, /^\d+ is a JPEG file of 12 bits, which is not read/],
      [lossless, /^\d+ is a lossless JPEG file, which is not read/],
      [changed, /^\d+ is a damaged or truncated PNG file: its contents are damaged\./],
    ];
    const messages = Array.from({ length: 80 }, async (_, i) => {
      const [bytes, expected] = films[i % films.length]!;
      const error = await decodeImage(bytes, { name: String(i) }).catch((cause) => cause);
      expect(error.message).toMatch(expected);
    });
    await Promise.all(messages);
  });

  it("checks the size in the header before decoding", async () => {
    const bytes = await greyPng();
    await expect(decode(bytes, { maxPixels: 11 })).rejects.toMatchObject({
      code: "image-too-large",
      details: { width: 4, height: 3 },
    });
    // Only the header says 40,000 x 40,000: decoding would fail otherwise, or take all memory.
    const huge = Buffer.concat([bytes]);
    huge.writeUInt32BE(40_000, 16);
    huge.writeUInt32BE(40_000, 20);
    huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
    await expect(decode(huge)).rejects.toMatchObject({ code: "image-too-large" });
  });

  it("throws typed errors only, whatever bytes are changed, and returns whole images otherwise", async () => {
    const films = [await greyPng(), await noisyJpeg()];
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...films),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        async (film, changes, cut) => {
          const bytes = Uint8Array.from(film);
          for (const { at, value } of changes) bytes[Math.floor(at * (bytes.length - 1))] = value;
          const end = cut === null ? bytes.length : Math.floor(cut * bytes.length);
          try {
            const { width, height, pixels } = await decode(bytes.subarray(0, end), {
              maxPixels: 1_000_000,
            });
            expect(pixels.length).toBe(width * height);
          } catch (error) {
            if (!isHilumError(error)) throw error;
            expect(error.kind).not.toBe("internal");
            expect(error.message).toContain("film.png");
          }
        },
      ),
      { numRuns: 400, seed: 1 },
    );
  });
});

/** Source: PNG specification, annex D, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
