import { describe, expect, it } from "vitest";
import { OPACITY_KINDS, type OpacityKind } from "./opacity.ts";
import { drawPhantom, type PhantomLabel } from "./phantom.ts";

const draw = (index: number, label: PhantomLabel, more = {}) =>
  drawPhantom({ seed: 1, index, label, size: 96, ...more });

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: Uint8Array) => {
  const centre = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - centre) ** 2)));
};

describe("drawPhantom", () => {
  it("draws the same film for the same options, and others for others", () => {
    const film = draw(3, "PNEUMONIA");
    expect(draw(3, "PNEUMONIA")).toEqual(film);
    for (const other of [
      draw(4, "PNEUMONIA"),
      draw(3, "NORMAL"),
      draw(3, "PNEUMONIA", { seed: 2 }),
    ])
      expect(other.pixels).not.toEqual(film.pixels);
  });

  it("makes the longer side as long as asked for, and fills the film", () => {
    for (let index = 0; index < 20; index++) {
      const { width, height, pixels } = draw(index, "NORMAL");
      expect(Math.max(width, height)).toBe(96);
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(72);
      expect(pixels.length).toBe(width * height);
      expect(new Set(pixels).size).toBeGreaterThan(60);
    }
  });

  it("changes the lungs alone where it adds an opacity", () => {
    for (const kind of Object.keys(OPACITY_KINDS) as OpacityKind[]) {
      const normal = draw(7, "NORMAL");
      const { pixels, width, height } = draw(7, "PNEUMONIA", { kind });
      const difference = Array.from(pixels, (value, i) => Math.abs(value - normal.pixels[i]!));
      const strongest = difference.indexOf(Math.max(...difference));
      expect(difference[strongest]).toBeGreaterThan(15);
      const [x, y] = [strongest % width, Math.floor(strongest / width)];
      expect(x > 0.1 * width && x < 0.9 * width && y > 0.05 * height && y < 0.9 * height).toBe(
        true,
      );
    }
  });

  it("burns the same word into the same corner, whatever the label", () => {
    const corner = (index: number, label: PhantomLabel) => {
      const { width, height, pixels } = draw(index, label);
      return Array.from({ length: 9 }, (_, row) =>
        pixels.slice((height - 9 + row) * width, (height - 9 + row) * width + 55),
      );
    };
    const expected = corner(0, "NORMAL");
    expect(mean(expected.flatMap((row) => [...row]))).toBeGreaterThan(50);
    for (let index = 0; index < 6; index++) {
      expect(corner(index, "PNEUMONIA")).toEqual(expected);
      expect(corner(index, "NORMAL")).toEqual(expected);
    }
  });

  it("lets brightness, contrast and shape tell nothing about the label", () => {
    // One pair of films at a time: only the opacity differs, and exposure takes its brightness away.
    const pairs = Array.from({ length: 60 }, (_, i) => [draw(i, "NORMAL"), draw(i, "PNEUMONIA")]);
    for (const [normal, ill] of pairs)
      expect([ill!.width, ill!.height]).toEqual([normal!.width, normal!.height]);
    const brighter = pairs.map(([normal, ill]) => mean(ill!.pixels) - mean(normal!.pixels));
    const contrast = pairs.map(
      ([normal, ill]) => deviation(ill!.pixels) - deviation(normal!.pixels),
    );
    // Films of one class differ by 10 and 5 grey values; a difference of 1 cannot be learnt from.
    expect(Math.max(...brighter.map(Math.abs))).toBeLessThan(3);
    expect(Math.abs(mean(brighter))).toBeLessThan(1);
    expect(Math.abs(mean(contrast))).toBeLessThan(1);
  });
});
