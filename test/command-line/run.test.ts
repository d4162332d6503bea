/** From a folder of films to a trained classifier to a prediction, as a user goes. */
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CORRUPTION_NAMES, type Robustness, type Shift } from "../../src/evaluation/index.ts";
import { commandLine, type Outcome } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { writeSmallClassifier } from "../support/small-classifier.ts";

const hilum = commandLine();
const SPLITS = { train: 0.75, test: 0.25 };
const SETTINGS = ["--size", "32", "--width", "0.25", "--batch", "8", "--epochs", "2"];
let films: string;
let place: (name: string) => string;
let run: string;
let trained: Outcome;

interface Evaluated {
  readonly n: number;
  readonly split: string | null;
  readonly metrics: Record<string, { value: number | null; low: unknown; high: unknown }>;
}

beforeAll(async () => {
  const phantoms = await phantomFolder({ count: 48, size: 48, seed: 4, splits: SPLITS });
  ({ films, place } = phantoms);
  run = place("run");
  trained = await hilum("train", films, "--out", run, ...SETTINGS, "--json");
});

describe("hilum audit", () => {
  it("prints what is in the folder", async () => {
    const outcome = await hilum("audit", films, "--json");
    expect(outcome.exitCode).toBe(0);
    const audit = outcome.json();
    expect(audit).toMatchObject({ layout: "split-folders" });
    expect(JSON.stringify(audit)).toContain("PNEUMONIA");
  });

  it("writes a page and says where, beside the object", async () => {
    const page = place("audit.html");
    const outcome = await hilum("audit", films, "--html", page, "--json");
    outcome.json();
    expect(outcome.stderr).toContain(`wrote ${page}`);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("Not for clinical use");
    expect(html).toMatch(/^<!doctype html>/);
  });

  it("prints a text for people", async () => {
    const { stdout, exitCode } = await hilum("audit", films);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("PNEUMONIA");
    expect(stdout).not.toContain("undefined");
  });
});

describe("hilum train", () => {
  it("prints run, model, best epoch and metrics, and its progress beside them", () => {
    expect(trained.exitCode, trained.stderr).toBe(0);
    const result = trained.json<{ bestEpoch: number; metrics: Record<string, number> }>();
    expect(result).toMatchObject({ run, model: join(run, "model.onnx") });
    expect([1, 2]).toContain(result.bestEpoch);
    expect(result.metrics.auroc).toBeGreaterThanOrEqual(0);
    expect(result.metrics.accuracy).toBeLessThanOrEqual(1);
    expect(trained.stderr).toMatch(/^epoch 1 .*\nepoch 2 /m);
    for (const name of ["config.json", "manifest.jsonl", "history.jsonl", "model.onnx"])
      expect(existsSync(join(run, name)), name).toBe(true);
  });

  it("refuses a folder that holds a run, and changes nothing under --resume", async () => {
    const before = readFileSync(join(run, "model.onnx"));
    const refused = await hilum("train", films, "--out", run, ...SETTINGS, "--json");
    expect(refused.exitCode).toBe(5);
    expect(refused.json()).toMatchObject({ error: { code: "run-exists", kind: "conflict" } });
    const resumed = await hilum("train", films, "--out", run, ...SETTINGS, "--resume", "--json");
    expect(resumed.exitCode).toBe(0);
    expect(resumed.json()).toEqual(trained.json());
    expect(readFileSync(join(run, "model.onnx"))).toEqual(before);
  });
});

describe("hilum train stops", () => {
  it("where the loss is no number any more", async () => {
    const wild = ["--lr", "1000", "--optimizer", "sgd", "--clip-norm", "none", "--warmup", "0"];
    const words = ["train", films, "--out", place("wild"), ...SETTINGS, ...wild, "--json"];
    const outcome = await hilum(...words);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.json()).toMatchObject({ error: { code: "training-diverged" } });
  });

  it("where a film is gone since the run began", async () => {
    const [data, begun] = [place("data"), place("begun")];
    cpSync(films, data, { recursive: true });
    cpSync(run, begun, { recursive: true });
    rmSync(join(begun, "result.json"));
    const gone = readdirSync(join(data, "train/NORMAL"))[0]!;
    rmSync(join(data, "train/NORMAL", gone));
    const outcome = await hilum("train", data, "--out", begun, ...SETTINGS, "--resume", "--json");
    expect(outcome.exitCode).toBe(5);
    const { error } = outcome.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe("data-changed");
    expect(error.message).toContain(gone);
  });
});

describe("hilum evaluate", () => {
  it("prints counts, threshold, confusion and metrics of the test films", async () => {
    const outcome = await hilum("evaluate", run, "--data", films, "--json");
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const result = outcome.json<Evaluated>();
    expect(result).toMatchObject({ model: join(run, "model.onnx"), positive: "PNEUMONIA" });
    expect(result).toMatchObject({ n: 12, split: "test", threshold: expect.any(Number) });
    expect(result).toMatchObject({ confusion: expect.any(Object) });
    const { shift } = result as unknown as { shift: Shift };
    expect(result).toMatchObject({ shift: { reason: null }, robustness: null });
    expect(result).toMatchObject({ uncertainBand: { low: expect.any(Number) } });
    expect(shift.features.map(({ feature }) => feature)).toEqual([
      "probability of PNEUMONIA",
      "mean grey",
      "contrast (deviation of the greys)",
      "width over height",
    ]);
    expect(result).toMatchObject({
      shift: { embeddingsReason: null, against: expect.any(String) },
    });
    expect(shift.embeddings).toMatchObject({ mmd: expect.any(Number), p: expect.any(Number) });
    for (const key of [
      "accuracy",
      "balancedAccuracy",
      "logLoss",
      "sensitivity",
      "specificity",
      "auroc",
    ])
      expect(Object.keys(result.metrics[key]!), key).toEqual(["value", "low", "high", "method"]);
  });

  it("takes the split that is named", async () => {
    const outcome = await hilum("evaluate", run, "--data", films, "--split", "train", "--json");
    expect(outcome.json<Evaluated>()).toMatchObject({ n: 36, split: "train" });
  });

  it("refuses films with labels that the model does not know", async () => {
    const other = place("other.onnx");
    writeSmallClassifier(other, { kind: "classes", classes: ["CLEAR", "MASS"], positive: 1 });
    const outcome = await hilum("evaluate", other, "--data", films, "--json");
    expect(outcome.exitCode).toBe(2);
    expect(outcome.json()).toMatchObject({
      error: { code: "labels-differ", details: { model: ["CLEAR", "MASS"] } },
    });
  });

  it("says of the same run and its file the same", async () => {
    const words = ["--data", films, "--json"];
    const [byRun, byFile] = await Promise.all([
      hilum("evaluate", run, ...words),
      hilum("evaluate", join(run, "model.onnx"), ...words),
    ]);
    expect(byFile.stdout).toBe(byRun.stdout);
  });

  it("prints a table with the notice", async () => {
    const out = place("report");
    const { stdout, stderr } = await hilum("evaluate", run, "--data", films, "--out", out);
    expect(stdout).toMatch(/^images +12$/m);
    expect(stdout).toMatch(/^AUROC +\d\.\d{4} +\d\.\d{3} – /m);
    expect(stdout).toContain("Not for clinical use");
    expect(stderr).toMatch(/wrote .*report\.html/);
  });

  it("writes a report whose predictions give the same numbers, and warns of films it was trained on", async () => {
    const [out, again] = [place("report"), place("again")];
    const words = ["evaluate", run, "--data", films, "--split", "train", "--json", "--out"];
    const byModel = (await hilum(...words, out)).json<Evaluated & { warnings: string[] }>();
    expect(readdirSync(out).sort()).toEqual([
      "figures",
      "metrics.json",
      "predictions.csv",
      "report.html",
    ]);
    expect(JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"))).toEqual(byModel);
    expect(byModel.warnings[0]).toMatch(/trained on \d+ films of these/);
    expect(byModel.warnings[1]).toContain("chose the model's epoch");
    const html = readFileSync(join(out, "report.html"), "utf8");
    expect(html).toContain("data:image/jpeg;base64,");
    const threshold = String((byModel as unknown as { threshold: number }).threshold);
    const file = join(out, "predictions.csv");
    const theirs = ["evaluate", "--predictions", file, "--threshold", threshold, "--json"];
    const byFile = (await hilum(...theirs)).json<Evaluated>();
    expect(byFile.metrics).toEqual(byModel.metrics);
    await hilum(...words, again, "--no-images");
    const hidden = ["report.html", "metrics.json", "predictions.csv"]
      .map((name) => readFileSync(join(again, name), "utf8"))
      .join("");
    expect(hidden).not.toMatch(/data:image\/jpeg|person\d+_/);
  });
});

describe("hilum evaluate --robustness", () => {
  it("says its time first, and holds the model against films spoilt in every way", async () => {
    const out = place("spoilt");
    const words = ["evaluate", run, "--data", films, "--robustness"];
    const { stdout, stderr, exitCode } = await hilum(...words, "--out", out);
    expect(exitCode, stderr).toBe(0);
    const readings = 12 * (5 * CORRUPTION_NAMES.length + 1);
    expect(stderr).toContain(
      `robustness: 12 films, ${readings.toLocaleString("en")} readings: about `,
    );
    expect(stderr.indexOf("about")).toBeLessThan(stderr.indexOf("wrote"));
    const metrics = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"));
    const { clean, corruptions } = metrics.robustness as Robustness;
    expect(clean).toMatchObject({ corruption: "none", severity: 0 });
    expect(corruptions).toHaveLength(5 * CORRUPTION_NAMES.length);
    expect(Object.keys(corruptions[0]!)).toEqual([
      "corruption",
      "severity",
      "balancedAccuracy",
      "auroc",
    ]);
    for (const key of ["balancedAccuracy", "auroc"] as const) {
      const inverted = corruptions
        .filter(({ corruption }) => corruption === "inverted greys")
        .map((result) => result[key]!.toFixed(3));
      expect(stdout).toMatch(new RegExp(`^inverted greys +${inverted.join(" +")}$`, "m"));
    }
    const html = readFileSync(join(out, "report.html"), "utf8");
    expect(html).toContain("Robustness as a table");
    expect(readdirSync(join(out, "figures"))).toContain("corruptions.svg");
  });

  it("takes a draw of the films where so many are asked for", async () => {
    const words = ["evaluate", run, "--data", films, "--robustness", "--robustness-films", "4"];
    const { stderr, json } = await hilum(...words, "--json");
    expect(stderr).toContain("robustness: 4 films, ");
    expect(json()).toMatchObject({ n: 12, robustness: { films: 4 } });
  });

  it("is not to be had of predictions alone", async () => {
    const outcome = await hilum("evaluate", "--predictions", "p.csv", "--robustness", "--json");
    expect(outcome.exitCode).toBe(2);
    expect(outcome.json()).toMatchObject({
      error: { code: "invalid-option", details: { option: "robustness" } },
    });
  });
});

describe("hilum compare", () => {
  interface Compared {
    readonly n: number;
    readonly models: { name: string; evaluation: Evaluated }[];
    readonly pairs: { first: string; tests: { metric: string; p: number; correctedP: number }[] }[];
    readonly warnings: string[];
  }

  it("holds runs against one another on the films that all were validated on", async () => {
    const [copy, out] = [place("copy"), place("comparison")];
    cpSync(run, copy, { recursive: true });
    const outcome = await hilum("compare", run, copy, "--out", out, "--json");
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const { n, models, pairs, warnings } = outcome.json<Compared>();
    expect(models.map(({ evaluation }) => evaluation.metrics)).toEqual(
      [0, 1].map(() => models[0]!.evaluation.metrics),
    );
    expect(n).toBe(models[0]!.evaluation.n);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]!.tests.map(({ metric }) => metric)).toEqual(["auroc", "accuracy"]);
    for (const { p, correctedP } of pairs[0]!.tests) expect([p, correctedP]).toEqual([1, 1]);
    expect(warnings[0]).toContain("too good");
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("<h2>Differences</h2>");
  });

  it("holds them against one another on films that are named, at their own thresholds", async () => {
    const other = place("other.onnx");
    writeSmallClassifier(other, undefined, {
      operatingPoint: { threshold: 0, rule: "everything" },
    });
    const words = ["compare", run, other, "--data", films, "--json"];
    const { n, models } = (await hilum(...words)).json<Compared>();
    expect(n).toBe(12);
    expect(models[1]!.evaluation.metrics.sensitivity).toMatchObject({ value: 1 });
    expect(models[1]!.evaluation.metrics.specificity).toMatchObject({ value: 0 });
  });

  it("reads names of films by the patterns that are stated", async () => {
    const copy = place("copy");
    cpSync(run, copy, { recursive: true });
    const words = ["compare", run, copy, "--data", films, "--json"];
    const { models } = (await hilum(...words, "--patient-pattern", "\\d+\\.")).json<Compared>();
    expect(models[0]!.evaluation).toMatchObject({ patients: 3 });
    const labels = await hilum(...words, "--label-pattern", "(bacteria|virus)");
    expect(labels.json()).toMatchObject({ error: { code: "labels-differ" } });
    const unread = await hilum("compare", run, copy, "--label-pattern", "x", "--json");
    expect(unread.json()).toMatchObject({
      error: { code: "invalid-option", details: { option: "label-pattern" } },
    });
  });

  it("warns of films that one of them was trained on, by its name", async () => {
    const stranger = place("stranger.onnx");
    writeSmallClassifier(stranger);
    const words = ["compare", run, stranger, "--data", films, "--split", "train", "--json"];
    const { warnings } = (await hilum(...words)).json<Compared>();
    expect(warnings).toEqual([
      expect.stringMatching(/^run-\d+: The model was trained on \d+ films of these/),
      expect.stringMatching(/^run-\d+: \d+ films? of these chose the model's epoch/),
      expect.stringMatching(/^There are few films of NORMAL/),
    ]);
  });
});

describe("hilum calibrate", () => {
  it("corrects the model's own probabilities and stores the operating point, and again from the start", async () => {
    const copy = place("run");
    cpSync(run, copy, { recursive: true });
    const calibrate = (...words: string[]) => hilum("calibrate", copy, ...words, "--json");
    const outcome = await calibrate("--method", "platt", "--target-sensitivity", "0.9");
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const { operatingPoint, before, after } = outcome.json<{
      operatingPoint: { threshold: number; rule: string };
      before: Evaluated;
      after: Evaluated;
    }>();
    expect(operatingPoint.rule).toContain("sensitivity of at least 0.9");
    expect(after.metrics.sensitivity!.value).toBeGreaterThanOrEqual(0.9);
    expect(after.metrics.auroc!.value).toBe(before.metrics.auroc!.value);
    expect(after.metrics.logLoss!.value).not.toBe(before.metrics.logLoss!.value);
    expect(existsSync(join(copy, "calibration.svg"))).toBe(true);
    const says = async (model: string) =>
      (await hilum("predict", model, join(films, "test"), "--json")).json<{
        images: { label: string; probability: number }[];
      }>().images;
    const [plain, corrected] = [await says(run), await says(copy)];
    corrected.forEach(({ label, probability }, index) => {
      expect(probability).not.toBe(plain[index]!.probability);
      expect(label).toBe(probability >= operatingPoint.threshold ? "PNEUMONIA" : "NORMAL");
    });
    const first = readFileSync(join(copy, "model.onnx"));
    await calibrate();
    expect(readFileSync(join(copy, "model.onnx"))).not.toEqual(first);
    await calibrate("--method", "platt", "--target-sensitivity", "0.9");
    expect(await says(copy)).toEqual(corrected);
    const none = await calibrate("--operating-point", "best");
    expect(none.json()).toMatchObject({ error: { code: "invalid-option" } });
  });
});

describe("hilum card", () => {
  it("says what the run's files say, in Markdown, HTML and the model, and changes no weight", async () => {
    const [copy, out] = [place("run"), place("card")];
    cpSync(run, copy, { recursive: true });
    const digest = async (path: string) =>
      (await hilum("inspect", path, "--json")).json<{ weightsSha256: string }>().weightsSha256;
    const outcome = await hilum("card", copy, "--out", out, "--json");
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const facts = outcome.json<{
      data: { parts: Record<string, { films: number }> };
      validation: Evaluated;
      hashes: Record<string, string>;
    }>();
    const { images, metrics } = JSON.parse(readFileSync(join(copy, "result.json"), "utf8"));
    expect(facts.data.parts.train!.films).toBe(images.train);
    expect(facts.data.parts.validation!.films).toBe(images.validation);
    expect(facts.validation.metrics.auroc!.value).toBe(metrics.auroc);
    expect(facts.hashes.weights).toBe(await digest(run));
    expect(await digest(copy)).toBe(await digest(run));
    const markdown = readFileSync(join(out, "card.md"), "utf8");
    expect(markdown).toContain("Not for clinical use");
    expect(markdown).toContain(facts.hashes.manifest);
    expect(markdown).not.toMatch(/undefined|NaN|\[object|person\d+_/);
    expect(readFileSync(join(out, "card.html"), "utf8")).toContain("<h2>Known limits</h2>");
    const { metadata } = (await hilum("inspect", copy, "--json")).json<{
      metadata: Record<string, string>;
    }>();
    expect(JSON.parse(metadata["hilum.card"]!)).toEqual(facts);
    const [before, after] = await Promise.all(
      [run, copy].map((model) => hilum("predict", model, join(films, "test"), "--csv")),
    );
    expect(after!.stdout).toBe(before!.stdout);
  });

  it("holds the results of an evaluation of the run's model, and of no other", async () => {
    const [copy, out, file] = [place("run"), place("evaluation"), place("metrics.json")];
    cpSync(run, copy, { recursive: true });
    const evaluated = (
      await hilum("evaluate", copy, "--data", films, "--out", out, "--json")
    ).json<Evaluated>();
    for (const path of [out, join(out, "metrics.json")]) {
      const outcome = await hilum("card", copy, "--evaluation", path, "--json");
      expect(outcome.exitCode, outcome.stderr).toBe(0);
      expect(outcome.json()).toMatchObject({
        evaluation: {
          n: 12,
          metrics: evaluated.metrics,
          data: { name: "films", split: "test", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        },
      });
    }
    const markdown = readFileSync(join(copy, "card.md"), "utf8");
    expect(markdown).toContain("## Metrics on other films");
    expect(markdown).toContain("films, part test: 12 films");
    expect(markdown).not.toMatch(/undefined|NaN|\[object|person\d+_/);
    const { metadata } = (await hilum("inspect", copy, "--json")).json<{
      metadata: Record<string, string>;
    }>();
    expect(JSON.parse(metadata["hilum.card"]!)).toMatchObject({ evaluation: { n: 12 } });
    const refusal = async (path: string) => {
      const outcome = await hilum("card", copy, "--evaluation", path, "--json");
      return outcome.json<{ error: { code: string; message: string } }>().error;
    };
    const other = place("other.onnx");
    writeSmallClassifier(other);
    await hilum("evaluate", other, "--data", films, "--out", out, "--json");
    expect(await refusal(out)).toMatchObject({
      code: "evaluation-unfit",
      message: expect.stringContaining("it is of another model"),
    });
    const csv = join(out, "predictions.csv");
    await hilum("evaluate", "--predictions", csv, "--out", out, "--json");
    expect((await refusal(out)).message).toContain("it is of a file of predictions");
    copyFileSync(csv, file);
    expect((await refusal(file)).message).toContain("it is no metrics.json");
    expect((await refusal(place("none"))).code).toBe("file-not-found");
  });
});

describe("hilum predict", () => {
  it("takes the run or its file, at the run's operating point", async () => {
    const test = join(films, "test");
    const byRun = await hilum("predict", run, test, "--json");
    const byFile = await hilum("predict", join(run, "model.onnx"), test, "--json");
    expect(byFile.stdout).toBe(byRun.stdout);
    const inspected = await hilum("inspect", run, "--json");
    const { metadata } = inspected.json<{ metadata: Record<string, string> }>();
    const { threshold } = JSON.parse(metadata["hilum.operatingPoint"]!) as { threshold: number };
    const { images } = byRun.json<{ images: { label: string; probability: number }[] }>();
    expect(images).toHaveLength(12);
    for (const { label, probability } of images)
      expect(label).toBe(probability >= threshold ? "PNEUMONIA" : "NORMAL");
  });
});

describe("hilum inspect", () => {
  interface Inspected {
    readonly inputs: readonly object[];
    readonly outputs: readonly object[];
    readonly operators: Record<string, number>;
    readonly parameters: number;
    readonly weightsSha256: string;
  }
  const inspect = async (path: string) =>
    (await hilum("inspect", path, "--json")).json<Inspected>();

  it("prints inputs, outputs, operators, parameters, metadata and the weights' digest", async () => {
    const result = await inspect(run);
    expect(result.inputs).toEqual([{ name: "images", type: "uint8", shape: ["N", "H", "W"] }]);
    expect(result.outputs).toEqual([
      expect.objectContaining({ name: "probabilities", type: "float32" }),
    ]);
    expect(result.operators.Conv).toBe(3);
    expect(result.parameters).toBeGreaterThan(1000);
    expect(result).toMatchObject({ metadata: { "hilum.format": "1" } });
    expect(result.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("gives equal weights one digest and others another", async () => {
    const copy = place("copy.onnx");
    copyFileSync(join(run, "model.onnx"), copy);
    const [a, b, c] = [place("a.onnx"), place("b.onnx"), place("c.onnx")];
    writeSmallClassifier(a, undefined, { seed: 1 });
    writeSmallClassifier(b, undefined, { seed: 1, operatingPoint: { threshold: 0.2, rule: "x" } });
    writeSmallClassifier(c, undefined, { seed: 2 });
    const digest = async (path: string) => (await inspect(path)).weightsSha256;
    expect(await digest(copy)).toBe(await digest(run));
    expect(await digest(b)).toBe(await digest(a));
    expect(await digest(c)).not.toBe(await digest(a));
  });

  it("prints a table for people", async () => {
    const { stdout } = await hilum("inspect", run);
    expect(stdout).toMatch(/^inputs +images: uint8 \[N, H, W\]/m);
    expect(stdout).toContain("Not for clinical use");
  });
});

describe("several classes", () => {
  it("train, are evaluated as they were trained, and are predicted by the same commands", async () => {
    const three = place("three");
    const pattern = ["--label-pattern", "_(bacteria|virus)_"];
    const run3 = await hilum("train", films, "--out", three, ...SETTINGS, ...pattern, "--json");
    expect(run3.exitCode, run3.stderr).toBe(0);
    const classes = ["NORMAL", "BACTERIA", "VIRUS"];
    const byRun = await hilum("evaluate", three, "--data", films, "--json");
    const evaluated = byRun.json();
    expect(evaluated).toMatchObject({ positive: null, threshold: null });
    expect(evaluated).toMatchObject({ confusion: { labels: classes } });
    const { positive, images } = (await hilum("predict", three, films, "--json")).json<{
      positive: null;
      images: { probabilities: Record<string, number> }[];
    }>();
    expect(positive).toBeNull();
    expect(images).toHaveLength(48);
    for (const { probabilities } of images) expect(Object.keys(probabilities)).toEqual(classes);
    const byFile = await hilum("evaluate", join(three, "model.onnx"), "--data", films, "--json");
    expect(byFile.stdout).toBe(byRun.stdout);
    // Away from its run the file does not know how the data name their classes.
    const away = place("away.onnx");
    copyFileSync(join(three, "model.onnx"), away);
    const alone = await hilum("evaluate", away, "--data", films, "--json");
    expect(alone.json()).toMatchObject({ error: { code: "labels-differ" } });
    const told = await hilum("evaluate", away, "--data", films, ...pattern, "--json");
    expect(told.json()).toMatchObject({ confusion: evaluated.confusion });
  });
});
