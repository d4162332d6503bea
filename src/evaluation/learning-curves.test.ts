import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { type CurvePoint, learningCurves } from "./learning-curves.ts";
import { svgToPng } from "./plot.ts";

const HISTORY: readonly CurvePoint[] = [
  { epoch: 1, loss: 0.7, valLoss: 0.69, metrics: { auroc: 0.6, logLoss: 0.69 } },
  { epoch: 2, loss: 0.4, valLoss: 0.5, metrics: { auroc: 0.91, logLoss: 0.5 } },
  { epoch: 3, loss: 0.2, valLoss: 0.55, metrics: { auroc: 0.89, logLoss: 0.55 } },
];

/** Everything that is written in a picture. */
const textOf = (svg: string): string =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text).join("|");

describe("learningCurves", () => {
  it.each([
    ["auroc", "AUROC, validation: best 0.9100 in epoch 2"],
    ["logLoss", "Log loss, validation: best 0.5000 in epoch 2"],
  ])("names the best epoch, whichever way %s is better", async (metric, title) => {
    expect(textOf(await learningCurves(HISTORY, metric))).toContain(title);
  });

  it("draws a point for every epoch of each curve, and a ring around the best", async () => {
    const svg = await learningCurves(HISTORY, "auroc");
    const points = svg.match(/aria-roledescription="(point|circle)"/g) ?? [];
    expect(points).toHaveLength(3 + 3 + 3 + 1);
    expect(textOf(svg)).toMatch(/training.*validation/);
  });

  it("leaves out epochs in which the metric was not defined", async () => {
    const undefinedOnce = HISTORY.map((point) =>
      point.epoch === 2 ? { ...point, valLoss: null, metrics: { auroc: null } } : point,
    );
    const svg = await learningCurves(undefinedOnce, "auroc");
    expect(textOf(svg)).toContain("best 0.8900 in epoch 3");
    expect(svg).not.toContain("NaN");
  });

  it("draws the losses alone where the metric was never defined", async () => {
    const svg = await learningCurves(HISTORY, "aurocMacro");
    expect(textOf(svg)).toContain("Loss");
    expect(svg).not.toMatch(/NaN|aurocMacro/);
  });

  it("becomes a picture on white at twice its size", async () => {
    const svg = await learningCurves(HISTORY, "auroc");
    const width = Number(/<svg[^>]*\bwidth="([\d.]+)"/.exec(svg)![1]);
    const picture = sharp(Buffer.from(await svgToPng(svg)));
    const metadata = await picture.metadata();
    expect(metadata).toMatchObject({ format: "png", hasAlpha: false });
    expect(Math.abs(metadata.width - 2 * width)).toBeLessThanOrEqual(2);
    expect(
      (await picture.extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer())[0],
    ).toBe(255);
  });
});
