import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { Faithfulness } from "../../src/evaluation/index.ts";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { BINARY, writeSmallClassifier } from "../support/small-classifier.ts";

const hilum = commandLine();
let films: string;
let place: (name: string) => string;

beforeAll(async () => {
  ({ films, place } = await phantomFolder({ count: 6, size: 48, seed: 11 }));
});

/** A model that calls every film positive from this threshold on. */
function modelAt(threshold: number): string {
  const path = `${place("model")}.onnx`;
  writeSmallClassifier(path, BINARY, { operatingPoint: { threshold, rule: "stated" } });
  return path;
}

it("evaluate --faithfulness says its time first, and what heat maps rest on everywhere", async () => {
  const out = place("tried");
  const wanted = ["--faithfulness", "3", "--explanations", "grad-cam", "occlusion"];
  const words = ["evaluate", modelAt(0.001), "--data", films, ...wanted, "--out", out];
  const { stdout, stderr, exitCode } = await hilum(...words);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("faithfulness: 3 films, grad-cam, occlusion: about ");
  expect(stderr.indexOf("about")).toBeLessThan(stderr.indexOf("wrote"));
  const { faithfulness } = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8")) as {
    faithfulness: Faithfulness;
  };
  expect(faithfulness).toMatchObject({ class: "PNEUMONIA", films: 3, layers: 5 });
  expect(faithfulness.methods.map(({ method }) => method)).toEqual(["grad-cam", "occlusion"]);
  // All are called PNEUMONIA: there is no other film to exchange a part with.
  for (const { metrics } of faithfulness.methods)
    expect(metrics.exchange?.value ?? null).toBeNull();
  const html = readFileSync(join(out, "report.html"), "utf8");
  for (const { metrics } of faithfulness.methods) {
    const value = metrics.deletion!.value!.toFixed(4);
    expect(stdout).toMatch(new RegExp(`^Deletion, area .* ${value} `, "m"));
    expect(html).toContain(value);
  }
  expect(html).toContain("Deletion as a table");
  expect(html).not.toMatch(/undefined|NaN|\[object/);
  expect(readdirSync(join(out, "figures"))).toEqual(
    expect.arrayContaining(["deletion.svg", "insertion.svg"]),
  );
});

it("says so where no film is called the class", async () => {
  const words = ["evaluate", modelAt(0.9999), "--data", films, "--faithfulness", "--json"];
  const { json, exitCode, stderr } = await hilum(...words);
  expect(exitCode, stderr).toBe(0);
  expect(json()).toMatchObject({ faithfulness: { unknown: "no film is called PNEUMONIA" } });
});

it.each([
  ["of predictions alone", ["--predictions", "p.csv", "--faithfulness"], "faithfulness"],
  ["by explanations that nobody asked to try", ["--explanations", "occlusion"], "explanations"],
])("is not to be had %s", async (_, words, option) => {
  const outcome = await hilum("evaluate", ...words, "--json");
  expect(outcome.exitCode).toBe(2);
  expect(outcome.json()).toMatchObject({ error: { code: "invalid-option", details: { option } } });
});
