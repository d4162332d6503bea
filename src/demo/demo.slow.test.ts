/** The demo from its first film to its page, with few films. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { loadClassifier } from "../classifier/index.node.ts";
import { openDataset } from "../datasets/index.ts";
import { type DemoEvent, runDemo } from "./demo.ts";
import { DEMO_FILES } from "./folder.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-demo-"));
afterAll(() => rmSync(root, { recursive: true }));
const FEW = { films: 100, epochs: 2 } as const;
const whole = join(root, "whole");
const events: DemoEvent[] = [];
const result = await runDemo({ ...FEW, out: whole, onEvent: (event) => events.push(event) });

/** Stops at the first event of that kind, and returns where. */
async function stopped(out: string, kind: DemoEvent["kind"]): Promise<string[]> {
  const stop = new AbortController();
  const onEvent = (event: DemoEvent) => {
    if (event.kind === kind) stop.abort();
  };
  const error = await rejection(runDemo({ ...FEW, out, signal: stop.signal, onEvent }));
  expect(error.code).toBe("interrupted");
  expect(error.message).toContain("The same command goes on");
  return readdirSync(out);
}

describe("runDemo", () => {
  it("draws, trains and tests on films of other patients, in that order", async () => {
    const kinds = [...new Set(events.map(({ kind }) => kind))];
    expect(kinds.indexOf("drawing")).toBe(0);
    expect(kinds.indexOf("step")).toBeGreaterThan(kinds.indexOf("started"));
    expect(kinds.at(-1)).toBe("evaluating");
    const dataset = await openDataset(result.films);
    const patientsOf = (split: string) => dataset.split(split).map(({ patient }) => patient);
    expect(dataset.samples.length).toBe(FEW.films);
    expect(patientsOf("test").filter((one) => patientsOf("train").includes(one))).toEqual([]);
    const { n, confusion } = result.test;
    expect(n).toBe(dataset.split("test").length);
    expect(confusion!.matrix.flat().reduce((sum, count) => sum + count, 0)).toBe(n);
  });

  it("shows the films that it read wrongly, and some of each kind that it read rightly", async () => {
    const { images, test } = result;
    const [[, falsePositives], [falseNegatives]] = test.confusion!.matrix as [number[], number[]];
    const wrong = images.filter(({ label, truth }) => label !== truth);
    expect(wrong.length).toBe(Math.min(12, falsePositives! + falseNegatives!));
    expect(images.length).toBeGreaterThan(wrong.length);
    const classifier = await loadClassifier(result.model);
    const readings = await classifier.read(images.map(({ path }) => path));
    await classifier.close();
    readings.forEach(({ reading }, index) => {
      const { label, probability, truth, key } = images[index]!;
      expect([label, probability]).toEqual([reading!.label, reading!.probability]);
      expect(key.startsWith(`test/${truth}/`)).toBe(true);
    });
  });

  it("writes one page that needs no other file, says what it is and shows all of it", () => {
    const page = readFileSync(result.page, "utf8");
    expect(page).toContain("synthetic: every film was drawn by a program and shows no patient");
    expect(page).toContain("Not for clinical use");
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    // Six films of each of four kinds, the readings, and the sheet of augmented samples.
    const pictures = page.match(/<img src="data:image\/\w+;base64,[\w+/]{500,}/g)!;
    expect(pictures.length).toBe(24 + result.images.length + 1);
    expect(page.match(/<svg/g)!.length).toBe(2);
    for (const { key } of result.images) expect(page).toContain(key.split("/").at(-1));
    const { auroc } = result.test.metrics;
    expect(page).toContain(`ROC, area ${auroc!.value!.toFixed(4)}`);
    expect(page).toContain(`npx hilum predict ${whole}/run ${whole}/films/test`);
  });

  it("trains nothing again in the same place, and writes the same page", async () => {
    const page = readFileSync(result.page);
    const kinds = new Set<string>();
    const again = await runDemo({ ...FEW, out: whole, onEvent: ({ kind }) => kinds.add(kind) });
    expect(again).toEqual(result);
    expect([...kinds]).toEqual(["evaluating"]);
    expect(readFileSync(result.page).equals(page)).toBe(true);
  });

  it("goes on where it was stopped, and ends in the same weights", async () => {
    const out = join(root, "stopped");
    expect(await stopped(out, "drawing")).not.toContain(DEMO_FILES.films);
    expect(await stopped(out, "step")).toContain(DEMO_FILES.films);
    expect(await stopped(out, "evaluating")).not.toContain(DEMO_FILES.page);
    const kinds = new Set<string>();
    const { test, model } = await runDemo({ ...FEW, out, onEvent: ({ kind }) => kinds.add(kind) });
    expect(kinds.has("drawing") || kinds.has("step")).toBe(false);
    expect(test).toEqual(result.test);
    expect(readFileSync(model).equals(readFileSync(result.model))).toBe(true);
  });

  it("refuses other settings in the same place, and begins anew when told to", async () => {
    const out = join(root, "fresh");
    cpSync(whole, out, { recursive: true });
    writeFileSync(join(out, "notes.txt"), "mine");
    const error = await rejection(runDemo({ ...FEW, films: 90, out }));
    expect(error.code).toBe("settings-changed");
    expect(error.details).toMatchObject({ option: "films", before: 100, now: 90 });
    const fresh = await runDemo({ films: 90, epochs: 1, out, isFresh: true });
    expect((await openDataset(fresh.films)).samples.length).toBe(90);
    expect(readFileSync(join(out, "notes.txt"), "utf8")).toBe("mine");
  });
});
