import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { evaluatePredictions } from "../evaluation.ts";
import { FAITHFULNESS_METRICS } from "../faithfulness/summary.ts";
import type { PredictionSet } from "../prediction-set.ts";
import { readPredictions } from "../predictions-file.ts";
import { statedThreshold } from "../threshold.ts";
import { type ComposeOptions, reportOf } from "./compose.ts";
import { confidentMistakes } from "./films.ts";
import { warningsOf } from "./warnings.ts";
import { writeReport } from "./write-report.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-report-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Films of two classes; `of` gives truth and probability. */
function setOf(
  n: number,
  of: (index: number) => readonly [truth: 0 | 1, p: number],
): PredictionSet {
  const films = Array.from({ length: n }, (_, index) => of(index));
  return {
    task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
    keys: films.map((_, index) => `secret-${index}.png`),
    patients: films.map((_, index) => `person-${index >> 1}`),
    predictions: films.map(([truth, p]) => ({
      target: [(1 - truth) as 0 | 1, truth],
      probabilities: [1 - p, p],
    })),
    columns: {},
  };
}

const random = randomStream(1, "report");
const noisy = setOf(120, (index) => [
  (index % 2) as 0 | 1,
  Math.min(1, Math.max(0, 0.25 + 0.5 * (index % 2) + 0.25 * random.normal())),
]);
let folders = 0;

async function written(
  set: PredictionSet,
  hasImages = true,
  options: Partial<ComposeOptions> = {},
) {
  const folder = join(root, `${folders++}`);
  const evaluation = evaluatePredictions(set.predictions, set.task, {
    patients: set.patients,
    rounds: 100,
  });
  const facts = [["model", "a <b>"]] as const;
  const title = "Evaluation of x";
  const report = reportOf(set, evaluation, { title, facts, hasImages, ...options });
  await writeReport(folder, report, { ...evaluation, warnings: report.warnings });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { folder, read, html: read("report.html"), evaluation, report };
}

describe("what heat maps rest on", () => {
  const known = (value: number) => ({ value, low: value - 0.1, high: value + 0.1, method: null });
  const curves = { deletion: [0.9, 0.4, 0.2], insertion: [0.3, 0.7, 0.9], exchange: null };
  const methodOf = (method: string, alike: number, dependsOnWeights: boolean) => ({
    method,
    metrics: Object.fromEntries(FAITHFULNESS_METRICS.map((key) => [key, known(0.25)])),
    forgotten: [{ layers: 5, rankCorrelation: known(alike), ssim: known(0.5) }],
    dependsOnWeights,
    curves: { map: curves, shuffled: curves },
  });
  const found = {
    ...{ class: "PNEUMONIA", films: 12, patients: 7, steps: 2, shift: 4, layers: 5, seed: 0 },
    centre: curves,
    methods: [methodOf("grad-cam", 0.1, true), methodOf("edges", 0.99, false)],
  };

  it("is told of each method, with a verdict, curves and a table", async () => {
    const { html, folder } = await written(noisy, true, { faithfulness: found });
    expect(html).toContain("grad-cam: its maps depend on what was learnt (rank correlation 0.100");
    expect(html).toMatch(/edges: its maps stay nearly the same[^<]* 0\.990 \(0\.890 – 1\.090\)/);
    expect(html).toContain("12 films of 7 patients");
    expect(html).toContain("All 5 layers shuffled: rank correlation of the maps");
    expect(html).toContain("is 0.900 for the films, 0.200 where all pixels are taken away");
    expect(html).not.toContain("Exchange as a table");
    for (const name of ["Deletion", "Insertion"]) expect(html).toContain(`${name} as a table`);
    expect(readdirSync(join(folder, "figures"))).toContain("insertion.png");
    expect(html).not.toMatch(/undefined|NaN|\[object/);
  });

  it("or why it is not known", async () => {
    const unknown = "no film is called PNEUMONIA";
    const { html } = await written(noisy, true, { faithfulness: { unknown } });
    expect(html).toContain(`Heat maps were not tried: ${unknown}.`);
    expect((await written(noisy)).html).not.toContain("Heat maps");
  });
});

describe("writeReport", () => {
  it("writes a page without a network, the numbers, the predictions and the figures twice", async () => {
    const { folder, read, html, evaluation } = await written(noisy);
    const pictures = ["confusion", "precision-recall", "roc", "scores"];
    expect(readdirSync(join(folder, "figures"))).toEqual(
      expect.arrayContaining(pictures.flatMap((name) => [`${name}.png`, `${name}.svg`])),
    );
    expect(html.replaceAll(/"http:\/\/www\.w3\.org\/[^"]*"/g, "")).not.toMatch(
      /https?:|url\((?!#)|@import|<script|<link/,
    );
    expect(html).toContain("Not for clinical use");
    expect(html).toContain("a &lt;b&gt;");
    expect(html).toContain(evaluation.metrics.auroc!.value!.toFixed(4));
    expect(html).not.toMatch(/undefined|NaN|\[object/);
    const figures = html.match(/<figure><svg role="img"/g) ?? [];
    expect(html.match(/as a table<\/summary>/g)).toHaveLength(figures.length);
    expect(JSON.parse(read("metrics.json"))).toMatchObject({
      n: 120,
      metrics: { auroc: { method: "cluster-bootstrap" } },
    });
    expect(await readPredictions(join(folder, "predictions.csv"))).toEqual(noisy);
    const png = await sharp(join(folder, "figures/roc.png")).stats();
    expect(png.isOpaque).toBe(true);
    expect(png.channels[0]!.stdev).toBeGreaterThan(5);
    expect(read("figures/roc.svg")).toContain("prefers-color-scheme: dark");
  });

  it("names neither films nor patients without images", async () => {
    const { folder } = await written(noisy, false);
    const everything = (readdirSync(folder, { recursive: true }) as string[])
      .filter((name) => /\.(html|json|csv|svg)$/.test(name))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
    expect(everything).not.toMatch(/secret|person-/);
    expect(everything).toContain("image 120,patient 60,");
  });

  it.each([
    ["one class", setOf(6, (index) => [1, index / 6]), /all images are of one class/],
    ["equal scores", setOf(8, (index) => [(index % 2) as 0 | 1, 0.5]), /0\.5000/],
    ["three films", setOf(3, (index) => [(index % 2) as 0 | 1, index / 3]), /3 films/],
  ])("says of %s what can be said", async (_, set, words) => {
    const { html } = await written(set);
    expect(html).toMatch(words);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("reports several classes and findings", async () => {
    const probabilities = [0.5, 0.3, 0.2];
    const target = (truth: number) => [0, 1, 2].map((label) => Number(label === truth) as 0 | 1);
    const predictions = [0, 1, 2, 0].map((truth) => ({ target: target(truth), probabilities }));
    const names = ["A", "B", "C"];
    const base = {
      ...noisy,
      keys: ["a", "b", "c", "d"],
      patients: ["a", "b", "c", "d"],
      predictions,
    };
    const classes = await written({
      ...base,
      task: { kind: "classes", classes: names, positive: null },
    });
    expect(classes.html).toContain("<h2>By class</h2>");
    const findings = await written({ ...base, task: { kind: "findings", findings: names } });
    expect(findings.html).toContain("<h2>By finding</h2>");
    for (const { html } of [classes, findings]) expect(html).not.toMatch(/NaN|undefined/);
    expect(findings.html).toContain("Calibration by finding as a table");
    expect(findings.html).toContain("Confusion by finding as a table");
    // At 0.5, of four films: finding A is called in all, B and C in none.
    const counts = (name: string) =>
      findings.report.analysis.byFinding!.find(({ finding }) => finding === name)!.counts;
    expect(counts("A")).toEqual({
      truePositives: 2,
      falsePositives: 2,
      falseNegatives: 0,
      trueNegatives: 0,
    });
    expect(counts("B")).toMatchObject({ falseNegatives: 1, trueNegatives: 3 });
  });
});

describe("the report's wording", () => {
  it("says how much of a calibration error chance alone makes", async () => {
    const { html, evaluation } = await written(noisy);
    expect(evaluation.metrics.ece!.method).toBe("cluster-bootstrap-inverted");
    expect(html.match(/without what chance adds/g)).toHaveLength(2);
  });

  it("says when the decision curve is drawn for a stated prevalence", async () => {
    const stated = await written(noisy, true, { analysis: { prevalence: 0.05, rounds: 100 } });
    expect(stated.html).toContain("Drawn for a share of positives of 5.0 % as stated");
    expect((await written(noisy)).html).not.toContain("Drawn for a share");
  });
});

describe("the report of a model that calibrates", () => {
  it("shows its probabilities before and after", async () => {
    // What is said after calibration is noisy; before, the model was twice as sure.
    const uncalibrated = noisy.predictions.map(({ target, probabilities }) => {
      const p = 1 / (1 + (probabilities[0]! / probabilities[1]!) ** 2);
      return { target, probabilities: [1 - p, p] };
    });
    const { report, html } = await written(noisy, true, {
      analysis: { uncalibrated, rounds: 100 },
    });
    const before = evaluatePredictions(uncalibrated, noisy.task, {
      patients: noisy.patients,
      rounds: 100,
    });
    const { metrics } = report.analysis.uncalibrated!;
    expect(Object.keys(metrics)).toEqual(["ece", "adaptiveEce", "brier", "logLoss"]);
    expect(metrics.ece).toEqual(before.metrics.ece);
    expect(html).toContain("<h2>Calibration before and after</h2>");
    expect(html).toContain(`Expected calibration error ${metrics.ece!.value!.toFixed(3)} before`);
    expect(html.match(/>(before|after) calibration</g)!.length).toBeGreaterThanOrEqual(2);
    const plain = await written(noisy);
    expect(plain.report.analysis.uncalibrated).toBeNull();
    expect(plain.html).not.toContain("before calibration");
  });
});

describe("the subgroups of a report", () => {
  const width = noisy.keys.map((_, film) => String(500 + film));
  const kind = noisy.predictions.map(({ target }, film) =>
    target[1] === 1 ? ["bacteria", "virus"][(film >> 1) % 2]! : "",
  );
  const named = { ...noisy, keys: noisy.keys.map((key, film) => `${kind[film]}_${key}`) };

  it("are read from names and from films' shapes, each compared by what it defines", async () => {
    const { report, html, read } = await written({ ...named, columns: { "film width": width } });
    const { columns, groups } = report.analysis.subgroups!;
    expect(columns.map(({ column, metric }) => [column, metric])).toEqual([
      ["film width", "auroc"],
      ["pathogen", "sensitivity"],
    ]);
    expect(groups.map(({ n }) => n)).toEqual([40, 40, 40, 30, 30]);
    expect(html).toContain(
      "pathogen is compared by Sensitivity (recall), for AUROC is not defined in bacteria and virus: all images are of one class.",
    );
    expect(html).toMatch(/The worst group is [^<]+ \(by /);
    expect(read("predictions.csv").split("\n")[0]).toBe(
      "path,patient,label,probability,film width,pathogen",
    );
  });

  it("leave shapes out where thirds of them were small", async () => {
    const few = setOf(59, (index) => [(index % 2) as 0 | 1, index / 59]);
    const { report } = await written({ ...few, columns: { "film width": width.slice(0, 59) } });
    expect(report.analysis.subgroups).toBeNull();
  });
});

describe("what validation says", () => {
  const films = { validation: {}, evaluated: {} };
  const embeddings = { unknown: "not defined: no features" };
  const brighter = setOf(120, (index) => [(index % 2) as 0 | 1, 0.9 + index / 2000]);

  it("warns where the scores are not like those of validation, and only there", async () => {
    const moved = await written(brighter, true, { validation: { set: noisy, films, embeddings } });
    const warning =
      /probability of PNEUMONIA: the evaluated films differ from the validation films/;
    expect(moved.report.warnings.join()).toMatch(warning);
    expect(moved.html).toMatch(warning);
    const same = await written(noisy, true, { validation: { set: noisy, films, embeddings } });
    expect(same.report.shift).toMatchObject({ warnings: [], reason: null });
    expect(same.report.warnings.join()).not.toContain("differ");
  });

  it("says how far what the network sees has moved, or why that is not known", async () => {
    const vectors = (centre: number) =>
      noisy.keys.map(() => Float32Array.from([centre + random.normal(), random.normal()]));
    const of = async (evaluated: Float32Array[]) =>
      written(noisy, true, {
        validation: { set: noisy, films, embeddings: { validation: vectors(0), evaluated } },
      });
    const moved = await of(vectors(2));
    expect(moved.report.shift.embeddings!.p).toBeLessThan(0.01);
    expect(moved.report.warnings.join()).toContain("What the network sees in the evaluated films");
    const alike = await of(vectors(0));
    expect(alike.report.shift.embeddings!.mmd).toBeLessThan(moved.report.shift.embeddings!.mmd);
    expect(alike.report.warnings.join()).not.toContain("What the network sees");
    expect(alike.html).toContain("squared maximum mean discrepancy");
    const unknown = await written(noisy, true, { validation: { set: noisy, films, embeddings } });
    expect(unknown.report.shift.embeddingsReason).toBe("not defined: no features");
    expect(unknown.html).toContain("What the network sees: not defined: no features.");
  });

  it("says that nothing is known where there are no validation films", async () => {
    const { html, report } = await written(noisy);
    expect(report).toMatchObject({ uncertainBand: null, shift: { features: [], warnings: [] } });
    expect(html).toContain("not known: predictions do not tell of validation films");
  });

  it("shows a band that validation chose, and what it does for these films", async () => {
    const { report, html } = await written(noisy, true, {
      validation: { set: noisy, films, embeddings },
    });
    const { low, high, validation, evaluated } = report.uncertainBand!;
    expect(low < 0.5 && high > 0.5).toBe(true);
    expect(validation.risk!).toBeLessThanOrEqual(validation.riskOfAll / 2);
    expect(evaluated.share).toBeCloseTo(validation.share, 12);
    expect(evaluated.risk).toBeCloseTo(validation.risk!, 12);
    expect(html).toContain(`from ${low.toFixed(4)} to below ${high.toFixed(4)}`);
    const other = await written(brighter, true, { validation: { set: noisy, films, embeddings } });
    expect([other.report.uncertainBand!.low, other.report.uncertainBand!.high]).toEqual([
      low,
      high,
    ]);
    expect(other.report.uncertainBand!.evaluated.share).toBe(0);
  });
});

describe("the report without a band that halves the errors", () => {
  it("says so, and leaves no film to the model", async () => {
    const surest = setOf(40, (index) => [(index % 2) as 0 | 1, index < 10 ? 1 : 0.75]);
    const films = { validation: {}, evaluated: {} };
    const embeddings = { unknown: "not defined: no features" };
    const validation = { set: surest, films, embeddings };
    const { report, html } = await written(surest, true, { validation });
    expect(report.uncertainBand).toMatchObject({
      validation: { share: 1, risk: null, riskOfAll: 0.5 },
      evaluated: { share: 1, risk: null, riskOfAll: 0.5 },
    });
    expect(html).toContain("every film, for no band of probabilities halves the errors");
  });
});

describe("confidentMistakes", () => {
  it("puts the film first of which the model was surest", () => {
    const set = setOf(5, (index) => [
      [0, 1, 0, 1, 1][index] as 0 | 1,
      [0.6, 0.1, 0.99, 0.9, 0.4][index]!,
    ]);
    expect(confidentMistakes(set, 0.5)).toEqual([2, 1, 0, 4]);
    expect(confidentMistakes(set, 0.3)).toEqual([2, 1, 0]);
    expect(confidentMistakes(set, 0.5, 1)).toEqual([2]);
  });
});

describe("warningsOf", () => {
  it("says what flatters the model, which class is absent and which is rare", () => {
    const warnings = warningsOf(
      setOf(60, () => [1, 0.5]),
      { leftOut: 1, trainedOn: 2, validatedOn: 1, leaks: ["x"] },
    );
    const words = [
      "trained on 2 films",
      "1 film of these chose",
      "on both sides",
      "No film is NORMAL",
      "1 film could not be read and is left out",
    ];
    expect(warnings).toHaveLength(words.length);
    words.forEach((word, index) => {
      expect(warnings[index]).toContain(word);
    });
    expect(warningsOf(noisy)).toEqual([]);
    expect(warningsOf(setOf(8, (i) => [(i % 2) as 0 | 1, 0.5]))[0]).toContain(
      "NORMAL (4), PNEUMONIA (4)",
    );
  });
});

describe("statedThreshold", () => {
  it("takes a number, and refuses to choose one on the films that are evaluated", () => {
    expect(statedThreshold("0.25")).toBe(0.25);
    for (const rule of ["youden", "sensitivity=0.98", "best"])
      expect(() => statedThreshold(rule)).toThrow(
        expect.objectContaining({
          code: "operating-point-refused",
          message: expect.stringContaining("hilum calibrate"),
        }),
      );
    for (const text of ["", "1.5", "x"])
      expect(() => statedThreshold(text)).toThrow(
        expect.objectContaining({ code: "invalid-option" }),
      );
  });
});
