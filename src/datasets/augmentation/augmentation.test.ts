import { describe, expect, it } from "vitest";
import {
  augmentationGraph,
  augmentedBy,
  NEUTRAL,
  pixelsOf,
  type Row,
  randomFilm,
} from "../../../test/support/augmented-film.ts";
import type { Value } from "../../onnx/index.ts";
import { AUGMENTATION_COLUMNS, COLUMNS, drawAugmentation } from "./draw.ts";
import { mixed } from "./graph.ts";
import { AUGMENTATIONS, type Augmentation } from "./ranges.ts";

const NONE = AUGMENTATIONS.none;
const EVERYTHING: Augmentation = { ...AUGMENTATIONS.heavy, mixup: 0.4 };
/** What a neutral row leaves exactly as it is. */
const EXACT: Augmentation = { ...AUGMENTATIONS.strong, mixup: 0.4 };
/** What is drawn but has no effect where nothing is asked for. */
const IDLE = ["noiseOffset", "fill", "frameFill", "blankFill"] as const;
const IDLE_GLYPH = ["glyph", "glyphXX", "glyphX", "glyphYY", "glyphY"] as const;

function draw(ranges: Augmentation, path: readonly number[]): Row {
  const row = new Float32Array(AUGMENTATION_COLUMNS);
  drawAugmentation(ranges, path, row);
  return Object.fromEntries(COLUMNS.map((name, index) => [name, row[index]! + 0])) as Row;
}
const draws = (ranges: Partial<Augmentation>, count = 2000): Row[] =>
  Array.from({ length: count }, (_, sample) => draw({ ...NONE, ...ranges }, [1, 2, 3, sample]));
const share = (rows: readonly Row[], holds: (row: Row) => boolean): number =>
  rows.filter(holds).length / rows.length;
const extent = (rows: readonly Row[], amountOf: (row: Row) => number): [number, number] => {
  const values = rows.map(amountOf);
  return [Math.min(...values), Math.max(...values)];
};

describe("drawAugmentation", () => {
  it("gives the same row for the same seed, epoch, step and sample, and another for any other", () => {
    const path = [1, 2, 3, 4];
    draw(EVERYTHING, [9, 9, 9, 9]);
    expect(draw(EVERYTHING, path)).toEqual(draw(EVERYTHING, path));
    for (const place of path.keys()) {
      const other = path.with(place, 77);
      for (const column of ["xx", "gamma", "noiseOffset", "fill"] as const)
        expect(draw(EVERYTHING, other)[column]).not.toBe(draw(EVERYTHING, path)[column]);
    }
  });

  it("writes every number of a row", () => {
    const row = new Float32Array(AUGMENTATION_COLUMNS).fill(Number.NaN);
    drawAugmentation(EVERYTHING, [1, 2, 3, 4], row);
    expect(Array.from(row).filter(Number.isNaN)).toEqual([]);
  });

  it("is neutral where nothing is asked for", () => {
    for (const row of draws({}, 50)) {
      const idle = [...IDLE, ...IDLE_GLYPH].map((column) => [column, row[column]]);
      expect(row).toMatchObject({ ...NEUTRAL, ...Object.fromEntries(idle) });
    }
  });

  it.each<[string, Partial<Augmentation>, (row: Row) => number, number, number]>([
    ["rotation", { rotation: 10 }, ({ xx, yx }) => (Math.atan2(yx, xx) * 180) / Math.PI, -10, 10],
    ["scale", { scale: 0.2 }, ({ xx, yy }) => Math.sqrt(xx * yy), 1 / 1.2, 1.2],
    ["aspect", { scale: 0.2 }, ({ xx, yy }) => xx / yy, 1 / 1.2, 1.2],
    ["shear", { shear: 0.1 }, ({ xy }) => xy, -0.1, 0.1],
    ["shift to the side", { shift: 0.1 }, ({ x }) => x / 2, -0.1, 0.1],
    ["shift up and down", { shift: 0.1 }, ({ y }) => y / 2, -0.1, 0.1],
    ["brightness", { brightness: 0.2 }, ({ brightness }) => brightness, -0.2, 0.2],
    ["contrast", { contrast: 0.3 }, ({ contrast }) => contrast, 1 / 1.3, 1.3],
    ["gamma", { gamma: 0.5 }, ({ gamma }) => gamma, 1 / 1.5, 1.5],
    ["blur", { blur: 0.8 }, ({ blur }) => blur, -0.4, 0.8],
    ["noise", { noise: 0.1 }, ({ noise }) => noise, 0, 0.1],
    ["mixup", { mixup: 0.4 }, ({ mixup }) => mixup, 0.5, 1],
    ["crop across", { crop: 0.3 }, ({ xx }) => xx, 0.7, 1],
    ["crop down", { crop: 0.3 }, ({ yy }) => yy, 0.7, 1],
    ["arch", { curve: 0.8 }, ({ arch }) => arch, -0.4, 0.4],
    ["bend", { curve: 0.8 }, ({ bend }) => bend, -0.4, 0.4],
    ["shading across", { shading: 0.2 }, ({ shadeX }) => shadeX, -0.2, 0.2],
    ["shading down", { shading: 0.2 }, ({ shadeY }) => shadeY, -0.2, 0.2],
    ["local contrast", { localContrast: 0.6 }, ({ localContrast }) => localContrast, -0.3, 0.6],
    ["JPEG", { jpeg: 1.5 }, ({ jpeg }) => jpeg, 0, 1.5],
    ["resolution", { resolution: 0.6 }, ({ detail }) => detail, 0.4, 1],
  ])("fills the range of %s and does not leave it", (_, ranges, amountOf, low, high) => {
    const [least, most] = extent(draws(ranges), amountOf);
    const slack = 1e-6 + 0.02 * (high - low);
    expect(least).toBeGreaterThanOrEqual(low - 1e-6);
    expect(most).toBeLessThanOrEqual(high + 1e-6);
    expect(least).toBeLessThan(low + slack);
    expect(most).toBeGreaterThan(high - slack);
  });

  it("mirrors and erases as often as it is told to", () => {
    // Four standard errors of 2,000 draws.
    expect(Math.abs(share(draws({ flip: 0.3 }), ({ xx }) => xx < 0) - 0.3)).toBeLessThan(0.041);
    const rows = draws({ erase: 0.35 });
    expect(Math.abs(share(rows, ({ left }) => left < 1) - 0.35)).toBeLessThan(0.043);
    for (const { left, right, top, bottom } of rows.filter((row) => row.left < 1)) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(right, bottom)).toBeLessThanOrEqual(1 + 1e-6);
      const [width, height] = [right - left, bottom - top];
      expect(width * height).toBeGreaterThan(0.0199);
      expect(width * height).toBeLessThan(0.1501);
      expect(Math.abs(Math.log(width / height))).toBeLessThan(Math.log(3) + 1e-4);
    }
  });
});

const SIZE = 8;
const PIXELS = SIZE * SIZE;
const film = (seed: number) => randomFilm(SIZE, seed);
const applied = (
  films: readonly Float32Array[],
  changes: readonly Partial<Row>[],
  end?: (x: Value, rows: Value) => Value,
) => augmentedBy(EXACT, films, changes, end);
const pixelwise = (valueAt: (row: number, column: number) => number) => pixelsOf(SIZE, valueAt);

/** What gamma makes of black: its logarithm begins at a thousandth of white. */
const BLACK = 0.255;

/** Grey levels agree to this: `gamma` goes through a logarithm in float32. */
const GREY_TOLERANCE = 0.01;
function expectClose(received: readonly number[], expected: ArrayLike<number>): void {
  const worst = Math.max(...received.map((value, at) => Math.abs(value - expected[at]!)));
  expect(worst).toBeLessThan(GREY_TOLERANCE);
}

describe("the augmentation graph", () => {
  const source = film(1);
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row >= SIZE || column >= SIZE ? BLACK : source[row * SIZE + column]!;
  const clipped = (value: number) => Math.min(255, Math.max(0, value));

  it("leaves a film as it is where its row is neutral", async () => {
    const [out] = await applied([source], [{}]);
    expectClose(out!, source);
  });

  it.each<[string, Partial<Row>, (row: number, column: number) => number]>([
    ["mirrors", { xx: -1 }, (row, column) => at(row, SIZE - 1 - column)],
    // A shift by one pixel is 2 / SIZE of the width that runs from -1 to 1; what comes in is black.
    ["shifts sideways", { x: 2 / SIZE }, (row, column) => at(row, column + 1)],
    ["shifts upwards", { y: 4 / SIZE }, (row, column) => at(row + 2, column)],
    ["rotates", { xx: 0, xy: -1, yx: 1, yy: 0 }, (row, column) => at(column, SIZE - 1 - row)],
    ["brightens", { brightness: 0.1 }, (row, column) => clipped(at(row, column) + 25.5)],
    [
      "stretches contrast about middle grey",
      { contrast: 1.5 },
      (row, column) => clipped(127.5 + 1.5 * (at(row, column) - 127.5)),
    ],
    ["applies gamma", { gamma: 1.3 }, (row, column) => 255 * (at(row, column) / 255) ** 1.3],
    [
      "erases a rectangle",
      { left: 0.25, right: 0.5, top: 0.5, bottom: 1, fill: 0.4 },
      (row, column) => (column >= 2 && column < 4 && row >= 4 ? 102 : at(row, column)),
    ],
  ])("%s", async (_, change, expected) => {
    const [out] = await applied([source], [change]);
    expectClose(out!, pixelwise(expected));
  });

  it("magnifies about the centre, between the pixels by straight lines", async () => {
    const [out] = await applied([source], [{ xx: 0.5, yy: 0.5 }]);
    // Output pixel 3 lies at 3.25 of the source, a quarter of the way from 3 to 4.
    const along = (row: number, column: number) =>
      0.75 * at(row, column) + 0.25 * at(row, column + 1);
    expect(out![3 * SIZE + 3]).toBeCloseTo(0.75 * along(3, 3) + 0.25 * along(4, 3), 2);
  });

  it("blurs by a Gaussian of one pixel and sharpens by its opposite", async () => {
    const edge = (place: number) => Math.min(SIZE - 1, Math.max(0, place));
    const tap = (offset: number) => Math.exp(-(offset ** 2) / 2);
    const offsets = [-2, -1, 0, 1, 2];
    const total = offsets.reduce((sum, offset) => sum + tap(offset), 0);
    const smooth = (row: number, column: number) =>
      offsets
        .flatMap((dy) =>
          offsets.map((dx) => tap(dy) * tap(dx) * at(edge(row + dy), edge(column + dx))),
        )
        .reduce((sum, value) => sum + value, 0) /
      total ** 2;
    const [blurred, sharp] = await applied([source, source], [{ blur: 1 }, { blur: -0.2 }]);
    expectClose(blurred!, pixelwise(smooth));
    expectClose(
      sharp!,
      pixelwise((row, column) =>
        clipped(at(row, column) + 0.2 * (at(row, column) - smooth(row, column))),
      ),
    );
  });

  it("adds noise of the drawn strength, the same again for the same draw", async () => {
    const grey = new Float32Array(PIXELS).fill(128);
    const rows = [5, 5, 900, 1800, 2700, 3600, 4500, 5400].map((noiseOffset) => ({
      noise: 0.1,
      noiseOffset,
    }));
    const films = await applied(
      rows.map(() => grey),
      rows,
    );
    expect(films[0]).toEqual(films[1]);
    expect(films[0]).not.toEqual(films[2]);
    const added = films.slice(1).flatMap((out) => out.map((value) => (value - 128) / 25.5));
    const mean = added.reduce((sum, value) => sum + value, 0) / added.length;
    const deviation = Math.sqrt(added.reduce((sum, v) => sum + v * v, 0) / added.length);
    // Four standard errors of 448 values.
    expect(Math.abs(mean)).toBeLessThan(0.19);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.14);
  });

  it("blends each film with its neighbour in the batch, and the last with the first", async () => {
    const films = [film(1), film(2), film(3)];
    const shares = [0.7, 1, 0.5];
    const out = await applied(
      films,
      shares.map((mixup) => ({ mixup })),
      mixed,
    );
    for (const [index, received] of out.entries()) {
      const [own, next] = [films[index]!, films[(index + 1) % 3]!];
      const part = shares[index]!;
      expectClose(
        received,
        own.map((value, pixel) => part * value + (1 - part) * next[pixel]!),
      );
    }
  });

  it("holds no node for what is switched off", () => {
    const operators = (ranges: Augmentation) =>
      new Set(augmentationGraph(ranges, 2, SIZE).nodes.map(({ operator }) => operator));
    expect([...operators({ ...NONE, flip: 0.5 })]).not.toContain("Exp");
    expect([...operators({ ...NONE, gamma: 0.5 })]).not.toContain("GridSample");
    for (const absent of ["GridSample", "Conv", "Where", "Gather"])
      expect([...operators({ ...NONE, brightness: 0.1 })]).not.toContain(absent);
  });
});
