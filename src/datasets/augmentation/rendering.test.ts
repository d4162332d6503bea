import sharp from "sharp";
import { describe, expect, it } from "vitest";
import {
  augmentedBy,
  pixelsOf,
  type Row,
  randomFilm,
} from "../../../test/support/augmented-film.ts";
import { AUGMENTATION_COLUMNS, COLUMNS, drawAugmentation } from "./draw.ts";
import { AUGMENTATIONS, type Augmentation } from "./ranges.ts";

const SIZE = 32;
const { none: NONE, heavy: HEAVY } = AUGMENTATIONS;
const only = (ranges: Partial<Augmentation>): Augmentation => ({ ...NONE, ...ranges });
const source = randomFilm(SIZE, 1);
const at = (row: number, column: number) => source[row * SIZE + column]!;
const clipped = (value: number) => Math.min(255, Math.max(0, value));

/** The greatest difference of two films in grey levels. */
const away = (a: readonly number[], b: ArrayLike<number>): number =>
  Math.max(...a.map((value, place) => Math.abs(value - b[place]!)));
const one = async (ranges: Augmentation, row: Partial<Row>, film = source): Promise<number[]> =>
  (await augmentedBy(ranges, [film], [row]))[0]!;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A film without fine detail, as radiographs are. */
const smooth = Float32Array.from(
  pixelsOf(SIZE, (row, column) => 128 + 90 * Math.sin(row / 5) * Math.cos(column / 7)),
);

describe("what scanners do", () => {
  it("changes nothing where the row is neutral", async () => {
    // Gamma and the cosine transform go through float32, the lossless table through a tenth of a grey.
    expect(away(await one({ ...HEAVY, mixup: 0 }, {}), source)).toBeLessThan(0.5);
  });

  it("bends the tone curve and keeps black, white and the order of greys", async () => {
    const ramp = Float32Array.from({ length: SIZE ** 2 }, (_, place) => place / 4.0157);
    for (const row of [
      { arch: 0.5, bend: 0.5 },
      { arch: -0.5, bend: 0.5 },
      { arch: 0.5, bend: -0.5 },
      { arch: -0.5, bend: -0.5 },
    ]) {
      const bent = await one(only({ curve: 1 }), row, ramp);
      const x = ramp[300]! / 255;
      const wanted = x + x * (1 - x) * (row.arch + row.bend * (1 - 2 * x));
      expect(bent[300]).toBeCloseTo(255 * wanted, 2);
      expect(bent[0]).toBe(0);
      expect(bent.every((grey, place) => place === 0 || grey >= bent[place - 1]! - 1e-3)).toBe(
        true,
      );
    }
  });

  it("shades from edge to edge and leaves the centre alone", async () => {
    const shaded = await one(only({ shading: 0.3 }), { shadeX: 0.2, shadeY: -0.1 });
    const position = (place: number) => (2 * place + 1) / SIZE - 1;
    const wanted = pixelsOf(SIZE, (row, column) =>
      clipped(at(row, column) * (1 + 0.2 * position(column) - 0.1 * position(row))),
    );
    expect(away(shaded, wanted)).toBeLessThan(0.01);
  });

  it("enhances what stands out from its surroundings, and flattens it", async () => {
    // Alternating greys on a step: the surroundings stay, the alternation grows or shrinks.
    const film = Float32Array.from(
      pixelsOf(SIZE, (row, column) => (column < SIZE / 2 ? 90 : 160) + (row % 2 === 0 ? 8 : -8)),
    );
    const spread = (greys: readonly number[]) =>
      mean(
        pixelsOf(SIZE - 1, (row, column) =>
          Math.abs(greys[(row + 1) * SIZE + column]! - greys[row * SIZE + column]!),
        ),
      );
    const [more, less] = await augmentedBy(
      only({ localContrast: 1 }),
      [film, film],
      [{ localContrast: 0.5 }, { localContrast: -0.5 }],
    );
    expect(spread(more!)).toBeCloseTo(24, 0);
    expect(spread(less!)).toBeCloseTo(8, 0);
    expect(mean(more!)).toBeCloseTo(mean([...film]), 0);
  });

  it("compresses as JPEG of quality 50 does", async () => {
    const raw = { width: SIZE, height: SIZE, channels: 1 } as const;
    const file = await sharp(Uint8Array.from(smooth, Math.round), { raw })
      .jpeg({ quality: 50 })
      .toBuffer();
    const decoded = await sharp(file).toColourspace("b-w").raw().toBuffer();
    const compressed = await one(only({ jpeg: 1.5 }), { jpeg: 1 }, smooth);
    // The encoder computes in whole numbers; the loss itself is several times this.
    expect(mean(compressed.map((grey, place) => Math.abs(grey - decoded[place]!)))).toBeLessThan(
      0.6,
    );
    expect(away(compressed, smooth)).toBeGreaterThan(3);
  });

  it("loses the detail above the share that is kept, block by block", async () => {
    const flat = await one(only({ resolution: 1 }), { detail: 0 });
    const block = pixelsOf(8, (row, column) => at(8 + row, 16 + column));
    for (const [row, column] of [
      [8, 16],
      [15, 23],
    ] as const)
      expect(flat[row * SIZE + column]).toBeCloseTo(mean(block), 1);
    const half = await one(only({ resolution: 1 }), { detail: 0.5 });
    expect(away(half, source)).toBeGreaterThan(10);
    expect(away(half, flat)).toBeGreaterThan(10);
  });

  it("compresses films whose size is no multiple of a block", async () => {
    const film = randomFilm(21, 3);
    expect(away(await one(only({ jpeg: 1 }), {}, film), film)).toBeLessThan(0.5);
  });
});

describe("what lies over films", () => {
  it("frames a film in one shade", async () => {
    const row = { frameLeft: 0.125, frameRight: 1, frameTop: 0, frameBottom: 0.75, frameFill: 1 };
    const framed = await one(only({ frame: 1 }), row);
    const wanted = pixelsOf(SIZE, (y, x) => (x < 4 || y >= 24 ? 255 : at(y, x)));
    expect(away(framed, wanted)).toBeLessThan(0.01);
  });

  it("blanks a corner and burns a letter in, the right way round or mirrored", async () => {
    const black = new Float32Array(SIZE ** 2);
    // An L seven pixels wide and nine tall at the centre of a square of 14 by 18.
    const letter = { glyph: 1, glyphXX: 32 / 14, glyphYY: 32 / 18, glyphFill: 1 };
    const grey = new Float32Array(SIZE ** 2).fill(100);
    const blankRow = { blankLeft: 0, blankRight: 0.25, blankTop: 0, blankBottom: 0.5 };
    const [plain, mirrored, blank] = await augmentedBy(
      only({ marks: 1 }),
      [black, black, grey],
      [letter, { ...letter, glyphXX: -32 / 14 }, { ...blankRow, blankFill: 0.1 }],
    );
    const column = (greys: readonly number[], x: number) =>
      mean(Array.from({ length: SIZE }, (_, y) => greys[y * SIZE + x]!));
    expect(column(plain!, 12)).toBeGreaterThan(2 * column(plain!, 19));
    expect(Math.max(...plain!)).toBeGreaterThan(190);
    const turned = pixelsOf(SIZE, (y, x) => plain![y * SIZE + SIZE - 1 - x]!);
    expect(away(mirrored!, turned)).toBeLessThan(0.01);
    const wanted = pixelsOf(SIZE, (y, x) => (x < 8 && y < 16 ? 25.5 : 100));
    expect(away(blank!, wanted)).toBeLessThan(0.01);
  });

  it("draws frames and marks as often as it is told to, in the corners and on the sides", () => {
    const rows = Array.from({ length: 2000 }, (_, sample) => {
      const row = new Float32Array(AUGMENTATION_COLUMNS);
      drawAugmentation(HEAVY, [1, 2, 3, sample], row);
      return Object.fromEntries(COLUMNS.map((name, place) => [name, row[place]!])) as Row;
    });
    const share = (holds: (row: Row) => boolean) => rows.filter(holds).length / rows.length;
    // One framed film in sixteen has no side at all. Four standard errors of 2,000 draws.
    const isFramed = ({ frameLeft, frameRight, frameTop, frameBottom }: Row) =>
      frameLeft > 0 || frameTop > 0 || frameRight < 1 || frameBottom < 1;
    expect(Math.abs(share(isFramed) - (0.3 * 15) / 16)).toBeLessThan(0.041);
    expect(Math.abs(share(({ glyphFill }) => glyphFill >= 0) - 0.3)).toBeLessThan(0.041);
    const blanks = rows.filter(({ blankLeft }) => blankLeft < 1);
    expect(Math.abs(blanks.length / rows.length - 0.3)).toBeLessThan(0.041);
    for (const { blankLeft, blankRight, blankTop, blankBottom } of blanks) {
      expect(Math.min(blankLeft, 1 - blankRight)).toBeCloseTo(0, 6);
      expect(Math.min(blankTop, 1 - blankBottom)).toBeCloseTo(0, 6);
    }
    for (const { frameLeft, frameBottom } of rows) {
      expect(frameLeft).toBeLessThan(0.12);
      expect(frameBottom).toBeGreaterThan(0.88);
    }
  });

  it("draws a crop that stays inside the film", () => {
    for (let sample = 0; sample < 500; sample++) {
      const row = new Float32Array(AUGMENTATION_COLUMNS);
      drawAugmentation(only({ crop: 0.4 }), [1, 1, 1, sample], row);
      const [xx, , x, , yy, y] = row;
      expect(Math.abs(x!) + xx!).toBeLessThanOrEqual(1 + 1e-6);
      expect(Math.abs(y!) + yy!).toBeLessThanOrEqual(1 + 1e-6);
    }
  });
});
