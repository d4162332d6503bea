/** The packed tarball in an empty folder, with nothing beside it but what it says it depends on. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typeProblems } from "./support/type-problems.ts";

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
}

const app = mkdtempSync(join(tmpdir(), "hilum-package-"));
const home = join(app, "node_modules/hilum");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const doors = Object.keys(manifest.exports).filter((name) => !name.endsWith(".json"));
const specifierOf = (door: string) => door.replace(/^\./, "hilum");
let packed: string[];

beforeAll(() => {
  const said = execFileSync("npm", ["pack", "--json", "--pack-destination", app], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The build speaks before the list does.
  const [{ filename, files }] = JSON.parse(said.slice(said.indexOf("[\n  {"))) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = files.map(({ path }) => path);
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", join(app, filename), "--strip-components=1", "-C", home]);
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    mkdirSync(dirname(join(app, "node_modules", name)), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(app, "node_modules", name));
  }
  writeFileSync(join(app, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(app, { recursive: true, force: true }));

const node = (...words: readonly string[]) =>
  execFileSync(process.execPath, words, { cwd: app, encoding: "utf8" });

describe("the tarball", () => {
  it("holds what is built, the shipped model with its card, licences and what to read first, and no source", () => {
    const wanted = [
      ...["LICENSE", "README.md", "CHANGELOG.md", "dist/third-party-licences.txt"],
      ...["onnx", "md", "metrics.json"].map((kind) => `models/pneumonia.${kind}`),
    ];
    for (const path of wanted) expect(packed).toContain(path);
    const strangers = packed.filter(
      (path) => !/^(dist\/|models\/pneumonia\.|[A-Z]+(\.md)?$|package\.json$)/.test(path),
    );
    expect(strangers).toEqual([]);
    expect(packed.filter((path) => /\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  it("exports every subpath with its types", () => {
    for (const door of doors) {
      const { types, default: code } = manifest.exports[door] as { types: string; default: string };
      expect(existsSync(join(home, types)), types).toBe(true);
      expect(existsSync(join(home, code)), code).toBe(true);
    }
  });

  it("is imported by every subpath", () => {
    const code = `const names = {};
      for (const name of ${JSON.stringify(doors.map(specifierOf))})
        names[name] = Object.keys(await import(name));
      console.log(JSON.stringify(names));`;
    writeFileSync(join(app, "imports.js"), code);
    const names = JSON.parse(node("imports.js")) as Record<string, string[]>;
    expect(Object.keys(names)).toHaveLength(doors.length);
    for (const [door, exported] of Object.entries(names))
      expect(exported.length, door).toBeGreaterThan(1);
    expect(names.hilum).toEqual(
      expect.arrayContaining(["openDataset", "train", "evaluate", "loadClassifier"]),
    );
  });

  it("runs as one file", () => {
    const file = join(home, manifest.bin.hilum!);
    expect(readFileSync(file, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(statSync(file).mode & 0o111).not.toBe(0);
    expect(node(file, "--version")).toBe(`${manifest.version}\n`);
    expect(node(file, "--help")).toContain("Commands:");
  });

  it("reads an image with the shipped model, and sees that a page is no film", () => {
    const page = resolve("docs/pictures/demo.png");
    const said = node(join(home, manifest.bin.hilum!), "predict", "pneumonia", page, "--json");
    const { images } = JSON.parse(said) as { images: readonly Record<string, unknown>[] };
    expect(images).toMatchObject([
      { assessed: false, reasons: expect.arrayContaining(["not-chest-film"]) },
    ]);
  });
});

const CONSUMER = `
import { evaluate, HilumError, loadClassifier, openDataset, train, type RunResult } from "hilum";
import { adamW, binaryCrossEntropy, trainingGraph } from "hilum/autodiff";
import { readMetadata } from "hilum/classifier";
import { readFilms } from "hilum/classifier/node";
import { splitByPatient } from "hilum/datasets";
import { binaryMetrics } from "hilum/evaluation";
import { readImage, type GreyImage } from "hilum/images";
import { type Network, NETWORKS } from "hilum/models";
import { operators as op, readModel } from "hilum/onnx";
import { openSession } from "hilum/onnx/node";
import { trainEvents, type Settings } from "hilum/training";

export const network: Network = (x, outputs) => op.gemm(op.flatten(x), x.builder.scalar(outputs));
export async function work(): Promise<number | null | undefined> {
  const films = await openDataset("chest_xray");
  const run: RunResult = await train(films, { model: "cnn" }, { out: "runs/cnn", network });
  const { evaluation } = await evaluate(run.model, films);
  const film: GreyImage = await readImage("film.png");
  await using classifier = await loadClassifier(run.run);
  const [values] = await classifier.probabilities([film]);
  const names: string[] = NETWORKS.map(({ name }) => name);
  // @ts-expect-error there is no such optimizer
  await train(films, { optimizer: "rmsprop" }, { out: "runs/cnn" });
  // @ts-expect-error a probability is a number
  const text: string = values![0];
  return evaluation.metrics.auroc?.value;
}
export const all = [adamW, binaryCrossEntropy, trainingGraph, readMetadata, readFilms];
export const more = [splitByPatient, binaryMetrics, readModel, openSession, trainEvents, HilumError];
export type Rate = Settings["lr"] & number;
`;

describe.each([
  ["nodenext", ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
  ["bundler", ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
])("with module resolution %s", (_name, module, moduleResolution) => {
  it("types a consumer, and its own declarations hold", () => {
    const file = join(app, "consumer.ts");
    writeFileSync(file, CONSUMER);
    const options = {
      module,
      moduleResolution,
      target: ts.ScriptTarget.ES2023,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
      types: ["node"],
      typeRoots: [join(app, "node_modules/@types")],
      strict: true,
      exactOptionalPropertyTypes: true,
    };
    // What dependencies declare is theirs to answer for.
    const isOurs = (name: string) => name === file || name.startsWith(`${home}/`);
    expect(typeProblems([file], options, isOurs)).toEqual([]);
  });
});
