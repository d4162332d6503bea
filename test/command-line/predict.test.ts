import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { planPhantoms } from "../../src/datasets/index.ts";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { BINARY, writeSmallClassifier } from "../support/small-classifier.ts";

interface Image {
  readonly path: string;
  readonly label?: string;
  readonly probability?: number;
  readonly probabilities?: Record<string, number>;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Predicted {
  readonly model: string;
  readonly positive: string | null;
  readonly images: readonly Image[];
}

const hilum = commandLine();
const SET = { count: 8, size: 48, seed: 11 };
let place: (name: string) => string;
let model: string;
let films: string[];

beforeAll(async () => {
  const phantoms = await phantomFolder(SET);
  place = phantoms.place;
  films = planPhantoms(SET).map(({ key }) => join(phantoms.films, key));
  model = place("model.onnx");
  writeSmallClassifier(model);
});

const predict = async (...words: readonly string[]) => {
  const outcome = await hilum("predict", ...words, "--json");
  return { ...outcome, result: outcome.json<Predicted>() };
};

/** A folder with films under these names, in no helpful order. */
function folderOf(name: string, paths: readonly string[]): string {
  const folder = place(name);
  paths.forEach((path, index) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    copyFileSync(films[index % films.length]!, join(folder, path));
  });
  return folder;
}

describe("hilum predict --json", () => {
  it("prints model, positive and one entry for each film, and nothing else", async () => {
    const { result, exitCode, stderr } = await predict(model, films[0]!, films[1]!);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(Object.keys(result)).toEqual(["model", "positive", "images"]);
    expect(result.model).toBe(model);
    expect(result.positive).toBe("PNEUMONIA");
    expect(result.images.map(({ path }) => path)).toEqual(films.slice(0, 2));
    for (const image of result.images) {
      expect(Object.keys(image)).toEqual(["path", "label", "probability"]);
      expect(image.probability).toBeGreaterThan(0);
      expect(image.probability).toBeLessThan(1);
    }
  });

  it("walks folders in byte order, by the argument joined with the path below it", async () => {
    const below = [
      "a.png",
      "a/b.png",
      "B.png",
      "é.png",
      "a-b/c.png",
      "z/y/x.png",
      "10.png",
      "9.png",
    ];
    const folder = folderOf("walked", below);
    const { result } = await predict(model, folder);
    const sorted = [
      "10.png",
      "9.png",
      "B.png",
      "a-b/c.png",
      "a.png",
      "a/b.png",
      "z/y/x.png",
      "é.png",
    ];
    expect(result.images.map(({ path }) => path)).toEqual(
      sorted.map((name) => `${folder}/${name}`),
    );
  });

  it("keeps the spelling of the argument and the order of the arguments", async () => {
    const folder = folderOf("spelled", ["b.png", "a.png"]);
    const odd = `${folder}/../${folder.split("/").at(-1)}/`;
    const { result } = await predict(model, films[3]!, odd, films[0]!);
    expect(result.images.map(({ path }) => path)).toEqual([
      films[3],
      `${odd}a.png`,
      `${odd}b.png`,
      films[0],
    ]);
  });

  it("reads what is named twice twice, with the same answer", async () => {
    const { result } = await predict(model, films[2]!, films[2]!);
    expect(result.images).toHaveLength(2);
    expect(result.images[0]).toEqual(result.images[1]);
  });

  it("labels by the stored operating point", async () => {
    const [first] = (await predict(model, films[0]!)).result.images;
    const labelAt = async (threshold: number) => {
      const file = place("at.onnx");
      writeSmallClassifier(file, BINARY, { operatingPoint: { threshold, rule: "a test" } });
      const { images } = (await predict(file, films[0]!)).result;
      expect(images[0]!.probability).toBe(first!.probability);
      return images[0]!.label;
    };
    expect(await labelAt(first!.probability!)).toBe("PNEUMONIA");
    expect(await labelAt(first!.probability! + 1e-6)).toBe("NORMAL");
  });

  it("exits 2 after reading the rest, when films fail", async () => {
    const folder = folderOf("mixed", ["1.png", "5.png"]);
    writeFileSync(join(folder, "2-empty.jpeg"), "");
    writeFileSync(join(folder, "3-text.png"), "not a film");
    const dicom = Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), Buffer.alloc(64)]);
    writeFileSync(join(folder, "4.dcm"), dicom);
    const missing = join(folder, "missing.png");
    const { result, exitCode, stderr } = await predict(model, missing, folder);
    expect(exitCode).toBe(2);
    const codes = Object.fromEntries(
      result.images.map(({ path, error }) => [path.slice(folder.length + 1), error?.code ?? null]),
    );
    expect(codes).toEqual({
      "missing.png": "file-not-found",
      "1.png": null,
      "2-empty.jpeg": "image-empty",
      "3-text.png": "image-unrecognised",
      "4.dcm": "image-unsupported",
      "5.png": null,
    });
    for (const { path, error, ...rest } of result.images.filter((image) => image.error)) {
      expect(Object.keys(error!)).toEqual(["code", "message"]);
      expect(error!.message).toContain(path);
      expect(rest).toEqual({});
      expect(stderr).toContain(error!.message);
    }
    expect(result.images.filter(({ label }) => label)).toHaveLength(2);
  });

  it("names an empty folder as failed and reads the rest", async () => {
    const empty = place("empty");
    mkdirSync(empty);
    writeFileSync(join(empty, ".DS_Store"), "");
    const { result, exitCode } = await predict(model, empty, films[0]!);
    expect(exitCode).toBe(2);
    expect(result.images[0]).toMatchObject({ path: empty, error: { code: "folder-empty" } });
    expect(result.images[1]).toHaveProperty("label");
  });

  it("follows links, once round, and passes over what desktops and archives leave", async () => {
    const folder = folderOf("linked", ["a.png", "__MACOSX/a.png", ".hidden.png", "Thumbs.db"]);
    symlinkSync(folder, join(folder, "round"));
    symlinkSync(films[0]!, join(folder, "z.png"));
    const { result, exitCode } = await predict(model, folder);
    expect(exitCode).toBe(0);
    expect(result.images.map(({ path }) => path)).toEqual([`${folder}/a.png`, `${folder}/z.png`]);
  });

  it("gives every class a probability where there are several", async () => {
    const file = place("classes.onnx");
    const classes = ["NORMAL", "BACTERIA", "VIRUS"];
    writeSmallClassifier(file, { kind: "classes", classes, positive: null });
    const { result } = await predict(file, films[0]!);
    expect(result.positive).toBeNull();
    const [image] = result.images;
    expect(Object.keys(image!)).toEqual(["path", "label", "probabilities"]);
    expect(Object.keys(image!.probabilities!)).toEqual(classes);
    const values = Object.values(image!.probabilities!);
    expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(image!.label).toBe(classes[values.indexOf(Math.max(...values))]);
  });

  it("joins the findings that are present, or says that there is none", async () => {
    const findings = ["Effusion", "Mass", "Nodule"];
    const labelAt = async (threshold: number) => {
      const file = place("findings.onnx");
      const operatingPoint = { threshold, rule: "a test" };
      writeSmallClassifier(file, { kind: "findings", findings }, { operatingPoint });
      const { result } = await predict(file, films[0]!);
      expect(result.positive).toBeNull();
      expect(Object.keys(result.images[0]!.probabilities!)).toEqual(findings);
      return result.images[0]!.label;
    };
    expect(await labelAt(1e-6)).toBe("Effusion|Mass|Nodule");
    expect(await labelAt(1)).toBe("No Finding");
  });
});

describe("hilum predict", () => {
  it("prints a table with the notice, and says below what failed", async () => {
    const { stdout, stderr, exitCode } = await hilum("predict", model, films[0]!, "nowhere.png");
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/film +label +probability of PNEUMONIA/);
    expect(stdout).toContain("nowhere.png");
    expect(stdout).toContain("Not for clinical use");
    expect(stderr).toBe("hilum: nowhere.png does not exist. Check the path.\n");
  });

  it("prints comma-separated values with every path quoted where it must be", async () => {
    const folder = folderOf("quoted", ['a, "b".png']);
    const { stdout, exitCode } = await hilum("predict", model, folder, "nowhere.png", "--csv");
    expect(exitCode).toBe(2);
    const [head, first, second, ...rest] = stdout.split("\n");
    expect(head).toBe("path,label,probability,error");
    expect(first).toMatch(/^".*\/a, ""b""\.png",(NORMAL|PNEUMONIA),0\.\d+,$/);
    expect(second).toBe("nowhere.png,,,file-not-found");
    expect(rest).toEqual([""]);
  });

  it("has a column for each class or finding in comma-separated values", async () => {
    const file = place("columns.onnx");
    writeSmallClassifier(file, { kind: "findings", findings: ["Mass", "Node, small"] });
    const { stdout } = await hilum("predict", file, films[0]!, "--csv");
    expect(stdout.split("\n")[0]).toBe('path,label,p:Mass,"p:Node, small",error');
    expect(stdout.split("\n")[1]).toMatch(/,0\.\d+,0\.\d+,$/);
  });
});
