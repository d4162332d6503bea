import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { contactSheet } from "./contact-sheet.ts";

const film = (width: number, height: number, value: number) => ({
  width,
  height,
  pixels: new Uint8Array(width * height).fill(value),
});

/** Grey values of a sheet by row and column. */
async function greyOf(png: Uint8Array) {
  const { data, info } = await sharp(png)
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { info, at: (x: number, y: number) => data[y * info.width + x]! };
}

describe("contactSheet", () => {
  it("lays films out row by row, fitted into their cells", async () => {
    const films = [film(10, 10, 200), film(40, 20, 100), film(10, 10, 250)];
    const { info, at } = await greyOf(await contactSheet(films, { columns: 2, cellSize: 20 }));
    expect([info.width, info.height]).toEqual([4 + 2 * 24, 4 + 2 * 24]);
    expect([at(14, 14), at(38, 14), at(14, 38)]).toEqual([200, 100, 250]);
    // The wide film leaves the ground above and below itself; the fourth cell is empty.
    const ground = at(1, 1);
    expect([at(38, 5), at(38, 22), at(38, 38)]).toEqual([ground, ground, ground]);
  });

  it("makes room for captions, whatever is in them", async () => {
    const captioned = { ...film(10, 10, 200), caption: `<b> & "x" ${"long ".repeat(30)}` };
    const { info } = await greyOf(await contactSheet([captioned], { columns: 1, cellSize: 60 }));
    expect([info.width, info.height]).toEqual([68, 4 + 64 + 18]);
  });

  it("is a ground without films where there are none", async () => {
    const { info } = await greyOf(await contactSheet([], { columns: 3, cellSize: 10 }));
    expect([info.width, info.height]).toEqual([46, 18]);
  });
});
