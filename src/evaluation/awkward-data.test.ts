/** Data that leave metrics open: the right number by hand, or "not defined" and why. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { reportPredictions } from "./report/report-predictions.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-awkward-"));
afterAll(() => rmSync(root, { recursive: true }));

const BINARY = "path,label,probability";
const rows = (truths: string, scores: readonly number[]) =>
  [...truths].map((truth, film) => `${film},${truth === "1" ? "ILL" : "NORMAL"},${scores[film]}`);

/** A number is a value; a text is the beginning of why there is none. */
const CASES: readonly (readonly [
  string,
  readonly string[],
  Readonly<Record<string, number | string>>,
])[] = [
  [
    "one class",
    [BINARY, ...rows("1111", [0.9, 0.8, 0.3, 0.2])],
    {
      sensitivity: 0.5,
      accuracy: 0.5,
      ppv: 1,
      npv: 0,
      specificity: "no image is negative",
      auroc: "all images are of one class",
      balancedAccuracy: "all images are of one class",
    },
  ],
  // Of four pairs three are in order and one is tied; precision is 1 at 0.9, 2/3 at 0.5.
  [
    "ties",
    [BINARY, ...rows("1100", [0.5, 0.9, 0.5, 0.1])],
    { auroc: 0.875, averagePrecision: 0.5 + 0.5 * (2 / 3), sensitivity: 1, specificity: 0.5 },
  ],
  [
    "constant scores",
    [BINARY, ...rows("1010", [0.4, 0.4, 0.4, 0.4])],
    {
      auroc: 0.5,
      averagePrecision: 0.5,
      kappa: 0,
      brier: 0.26,
      sensitivity: 0,
      ppv: "no image is called positive",
      mcc: "all images are, or are called, of one class",
    },
  ],
  [
    "three images",
    [BINARY, ...rows("011", [0.1, 0.9, 0.4])],
    { auroc: 1, accuracy: 2 / 3, balancedAccuracy: 0.75, f1: 2 / 3 },
  ],
  [
    "a class of which no image is",
    ["path,label,p:A,p:B,p:C", "0,A,0.6,0.3,0.1", "1,B,0.5,0.4,0.1", "2,B,0.1,0.8,0.1"],
    { accuracy: 2 / 3, balancedAccuracy: 0.75, aurocMacro: 1 },
  ],
];

it.each(CASES)(
  "gives of %s the right numbers, and why others are not defined",
  async (...given) => {
    const [, lines, wanted] = given;
    const file = join(root, "predictions.csv");
    writeFileSync(file, lines.join("\n"));
    const { metrics } = (await reportPredictions(file)).evaluation;
    const found = Object.fromEntries(
      Object.keys(wanted).map((key) => {
        const { value, reason } = metrics[key]!;
        return [key, value ?? reason];
      }),
    );
    expect(found).toEqual(
      Object.fromEntries(
        Object.entries(wanted).map(([key, value]) => [
          key,
          typeof value === "number" ? expect.closeTo(value, 12) : value,
        ]),
      ),
    );
  },
);
