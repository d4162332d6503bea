import { describe, expect, it } from "vitest";
import { openSession } from "../onnx/index.node.ts";
import { float32, graphBuilder } from "../onnx/index.ts";
import { randomStream } from "../random.ts";
import { type Normalization, normalizeImages } from "./normalization.ts";

const SIZE = 32;
const MARGIN = 4;
type Film = readonly number[];

/** A film of smooth structure with some noise, in whole grey levels. */
const film = (seed: number): Film => {
  const random = randomStream(seed, "film");
  return Array.from({ length: SIZE ** 2 }, (_, at) => {
    const [row, column] = [Math.floor(at / SIZE), at % SIZE];
    return Math.round(110 + 70 * Math.sin(row / 6) * Math.cos(column / 5) + 8 * random.normal());
  });
};

async function normalized(films: readonly Film[], normalization: Normalization): Promise<Film[]> {
  const builder = graphBuilder();
  const x = builder.input("x", "float32", ["N", 1, SIZE, SIZE]);
  builder.output(normalizeImages(x, normalization), "out");
  const session = await openSession(builder.build());
  const { out } = await session.run({ x: float32([films.length, 1, SIZE, SIZE], films.flat()) });
  await session.close();
  const flat = Array.from(out!.data as Float32Array);
  return films.map((_, at) => flat.slice(at * SIZE ** 2, (at + 1) * SIZE ** 2));
}

const isInMiddle = (at: number) =>
  [Math.floor(at / SIZE), at % SIZE].every((place) => place >= MARGIN && place < SIZE - MARGIN);
const middle = (values: Film): Film => values.filter((_, at) => isInMiddle(at));
const mean = (values: Film) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: Film) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
const away = (a: Film, b: Film) => Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));

describe("normalizeImages", () => {
  it("brings greys to a range of -1 to 1", async () => {
    const [out] = await normalized([film(1)], "range");
    expect(
      away(
        out!,
        film(1).map((grey) => grey / 127.5 - 1),
      ),
    ).toBeLessThan(1e-5);
  });

  it.each(["standardize", "percentiles", "equalize"] as const)(
    "brings each film to mean 0 and deviation 1 by itself: %s",
    async (normalization) => {
      const films = [film(1), film(2).map((grey) => Math.round(40 + grey / 3))];
      const alone = await normalized([films[1]!], normalization);
      const both = await normalized(films, normalization);
      expect(away(both[1]!, alone[0]!)).toBeLessThan(1e-5);
      for (const out of both) {
        const counted = normalization === "standardize" ? out : middle(out);
        expect(mean(counted)).toBeCloseTo(0, 4);
        expect(deviation(counted)).toBeCloseTo(1, 2);
      }
    },
  );

  it.each(["percentiles", "equalize"] as const)(
    "does not look at borders: %s",
    async (normalization) => {
      const bordered = film(1).map((grey, at) => (isInMiddle(at) ? grey : 0));
      const [plain, other] = await normalized([film(1), bordered], normalization);
      expect(away(middle(plain!), middle(other!))).toBeLessThan(1e-5);
      const [standard, moved] = await normalized([film(1), bordered], "standardize");
      expect(away(middle(standard!), middle(moved!))).toBeGreaterThan(0.3);
    },
  );

  it("cuts the brightest and the darkest hundredth of the middle", async () => {
    const marked = film(1).map((grey, at) => (at % SIZE === 12 && at < 8 * SIZE ? 255 : grey));
    const [out] = await normalized([marked], "percentiles");
    const levels = middle(marked).toSorted((a, b) => a - b);
    const [low, high] = [
      levels[Math.floor(levels.length * 0.01)]!,
      levels[Math.floor(levels.length * 0.99)]!,
    ];
    const cut = marked.map((grey) => Math.min(high, Math.max(low, grey)));
    const [average, spread] = [mean(middle(cut)), deviation(middle(cut))];
    expect(
      away(
        out!,
        cut.map((grey) => (grey - average) / spread),
      ),
    ).toBeLessThan(0.01);
    expect(high).toBeLessThan(255);
  });

  it("takes a tone curve away by equalizing", async () => {
    const curve = (grey: number) => Math.round(255 * (grey / 255) ** 0.6);
    const [plain, other] = await normalized([film(1), film(1).map(curve)], "equalize");
    const [standard, moved] = await normalized([film(1), film(1).map(curve)], "standardize");
    const apart = (a: Film, b: Film) => mean(a.map((value, at) => Math.abs(value - b[at]!)));
    expect(apart(plain!, other!)).toBeLessThan(0.5 * apart(standard!, moved!));
  });

  it("limits the contrast that equalizing gives", async () => {
    // Nine tenths of one grey: without a limit it would stand at the middle of all ranks.
    const flat = film(1).map((grey, at) => (at % 10 === 0 ? grey : 90));
    const [out] = await normalized([flat], "equalize");
    const ranks = (limit: number) => {
      const counts = Array.from({ length: 256 }, () => 0);
      for (const grey of middle(flat)) counts[grey]! += 1 / middle(flat).length;
      const clipped = counts.map((share) => Math.min(share, limit / 256));
      const spare = 1 - clipped.reduce((a, b) => a + b, 0);
      let sum = 0;
      const ranked = clipped.map((share) => {
        sum += share + spare / 256;
        return sum;
      });
      const values = flat.map((grey) => ranked[grey]!);
      const [average, spread] = [mean(middle(values)), deviation(middle(values))];
      return values.map((value) => (value - average) / spread);
    };
    expect(away(out!, ranks(4))).toBeLessThan(0.05);
    expect(away(out!, ranks(256))).toBeGreaterThan(0.5);
  });

  it.each(["standardize", "percentiles", "equalize"] as const)(
    "keeps flat films finite: %s",
    async (normalization) => {
      const [out] = await normalized([new Array<number>(SIZE ** 2).fill(77)], normalization);
      expect(Math.max(...out!.map(Math.abs))).toBeLessThan(0.01);
    },
  );
});
