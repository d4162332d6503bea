/** Every guide is typed and run as it stands, on synthetic films in a folder called chest_xray. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GATE_CODES } from "../../src/classifier/index.ts";
import { writePhantomDataset } from "../../src/datasets/index.ts";
import type { SweepResult } from "../../src/training/index.ts";
import { commandLine } from "../../test/support/command-line.ts";
import { typeProblems } from "../../test/support/type-problems.ts";

const run = promisify(execFile);
const hilum = commandLine();
const FOLDER = "docs/guides";
const GUIDES = [
  "evaluation",
  "explaining",
  "first-model",
  "gates",
  "own-network",
  "pretrained-backbones",
  "reading-films",
  "transfer",
  "tuning",
];
/** Where the code is written so that it finds the project's packages. */
const CODE = resolve(`.cache/guides-${process.pid}`);
let tests = 0;
const home = mkdtempSync(join(tmpdir(), "hilum-guides-"));

/** The blocks of one language in a guide, one after another. */
function blocks(guide: string, language: string): string {
  const text = readFileSync(join(FOLDER, `${guide}.md`), "utf8");
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms");
  return [...text.matchAll(fence)].map(([, block]) => block).join("\n");
}

const codeOf = (guide: string) => join(CODE, `${guide}.mts`);

beforeAll(async () => {
  mkdirSync(CODE, { recursive: true });
  for (const guide of GUIDES) writeFileSync(codeOf(guide), blocks(guide, "ts"));
  const plan = await writePhantomDataset(join(home, "chest_xray"), {
    count: 60,
    size: 64,
    splits: { train: 0.8, test: 0.2 },
  });
  tests = plan.filter(({ key }) => key.startsWith("test/")).length;
});
afterAll(() => {
  for (const folder of [CODE, home]) rmSync(folder, { recursive: true, force: true });
});

const env = {
  ...process.env,
  NO_COLOR: "1",
  HILUM_CACHE: join(home, "cache"),
  GATE: resolve("models/gate.onnx"),
  TSX_TSCONFIG_PATH: resolve("tsconfig.json"),
};

const shell = (lines: string) =>
  run("sh", ["-e", "-c", lines.replaceAll("npx hilum", `"${process.execPath}" "${hilum.file}"`)], {
    cwd: home,
    env,
  });
const program = (guide: string) =>
  run(process.execPath, ["--import", import.meta.resolve("tsx"), codeOf(guide)], {
    cwd: home,
    env,
  });

it("every guide is among those that run", () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".md"));
  expect(names).toEqual(GUIDES.map((guide) => `${guide}.md`));
});

it("the guides' code has the types that it claims", () => {
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve("."));
  const guides = GUIDES.map(codeOf);
  expect(typeProblems(guides, options, (file) => guides.includes(file))).toEqual([]);
});

describe("the guide to", () => {
  it("a first model runs, on the command line and in TypeScript", async () => {
    await shell(blocks("first-model", "sh"));
    expect(readFileSync(join(home, "audit.html"), "utf8")).toContain("Not for clinical use");
    const readings = readFileSync(join(home, "readings.csv"), "utf8").trim().split("\n");
    expect(readings).toHaveLength(1 + tests);
    const { stdout } = await program("first-model");
    expect(stdout).toMatch(/^60 films, \d+ problems\nbest epoch [1-4] AUROC [\d.]+\n/);
    expect(stdout).toContain(`\n${tests} test films, sensitivity `);
    expect(stdout).toMatch(/\n(NORMAL|PNEUMONIA) [\d.e-]+\n$/);
  });

  it("pretrained backbones lists them, in words, as data and in TypeScript", async () => {
    await shell(blocks("pretrained-backbones", "sh"));
    const { backbones } = JSON.parse(readFileSync(join(home, "backbones.json"), "utf8")) as {
      backbones: { name: string; parameters: number }[];
    };
    const { stdout } = await program("pretrained-backbones");
    for (const { name, parameters } of backbones)
      expect(stdout).toMatch(new RegExp(`^${name} ${parameters} [\\d.]+ not pulled$`, "m"));
    expect(stdout).toMatch(/\nfeatures Nx1280x7x7 3371008\n$/);
  });

  it("training on a pretrained backbone finds a head, then tunes a file's blocks", async () => {
    await program("transfer");
    await shell(blocks("transfer", "sh"));
    const resultOf = (name: string) =>
      JSON.parse(readFileSync(join(home, "runs", name, "result.json"), "utf8"));
    expect(resultOf("head")).toMatchObject({ epochs: 0, bestEpoch: 0 });
    expect(resultOf("tuned")).toMatchObject({ epochs: 1 });
    const held = readFileSync(join(home, "runs/clusters/predictions.csv"), "utf8")
      .trim()
      .split("\n");
    expect(held).toHaveLength(1 + 60 - tests);
    const packs = readdirSync(join(home, "cache")).filter((name) => name.startsWith("features-"));
    expect(packs).toHaveLength(1);
  });

  it("tuning finds a rate, makes a sweep and lists its runs", async () => {
    const { stdout } = await shell(blocks("tuning", "sh"));
    expect(readFileSync(join(home, "rates.svg"), "utf8")).toContain("Learning rate");
    const sweep = JSON.parse(readFileSync(join(home, "sweep.json"), "utf8")) as SweepResult;
    expect(sweep.trials).toHaveLength(3);
    expect(sweep.command).toMatch(/^hilum train .*chest_xray/);
    expect(stdout).toMatch(/cnn\/trials\/0000/);
    const typed = await program("tuning");
    expect(typed.stdout).toMatch(/^0 complete \d\.\d{3}\n1 (complete|pruned) .*\nhilum train /);
  }, 240_000);

  it("evaluation leaves reports, a comparison and a card", async () => {
    await shell(blocks("evaluation", "sh"));
    for (const file of ["evaluation/report.html", "theirs/report.html", "compared/report.html"])
      expect(readFileSync(join(home, file), "utf8"), file).toContain("Not for clinical use");
    const card = readFileSync(join(home, "runs/first-try/card.md"), "utf8");
    expect(card).toContain("method platt");
  });

  it("explaining writes a picture of every film, by three methods, and tries two of them", async () => {
    await shell(blocks("explaining", "sh"));
    await program("explaining");
    for (const folder of ["heat", "occlusion", "layers"])
      expect(readdirSync(join(home, folder)), folder).toHaveLength(tests);
    expect(readdirSync(join(home, "tried", "figures"))).toContain("deletion.svg");
  });

  it("gates puts one in front of a model, and says what it says of films and of other images", async () => {
    await shell(blocks("gates", "sh"));
    const { images } = JSON.parse(readFileSync(join(home, "gated.json"), "utf8")) as {
      images: { assessed: boolean; reasons: string[]; label?: string }[];
    };
    expect(images).toHaveLength(tests + 1);
    // The last is the figure of the learning curves, which no gate may take for a film.
    expect(images.at(-1)).toMatchObject({ assessed: false });
    for (const { assessed, label, reasons } of images) {
      expect(label === undefined).toBe(!assessed);
      expect(reasons.length > 0).toBe(!assessed);
    }
    const { stdout } = await program("gates");
    expect(stdout).toMatch(/curves\.png: not assessed, .*does not look like a chest X-ray/);
    const said = readFileSync(join(FOLDER, "gates.md"), "utf8");
    for (const code of Object.keys(GATE_CODES)) expect(said, code).toContain(`\`${code}\``);
  });

  it("reading films reads every film", async () => {
    const { stdout, stderr } = await program("reading-films");
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toHaveLength(tests);
    expect(stdout).toMatch(/^chest_xray\/test\/.* (NORMAL|PNEUMONIA) [01]\.\d{3}$/m);
  });

  it("a network of your own trains one in under 40 lines", async () => {
    const lines = blocks("own-network", "ts")
      .split("\n")
      .filter((line) => line.trim() !== "");
    expect(lines.length).toBeLessThan(40);
    const { stdout } = await program("own-network");
    const epochs = [...stdout.matchAll(/^epoch (\d): utility (-[\d.]+|-?0)$/gm)];
    expect(epochs.map(([, epoch]) => epoch)).toEqual(["1", "2", "3", "4"]);
    expect(stdout).toMatch(/runs\/own\/model\.onnx\n$/);
    await shell("npx hilum inspect runs/own --json > own.json");
    const { operators } = JSON.parse(readFileSync(join(home, "own.json"), "utf8")) as {
      operators: Record<string, number>;
    };
    expect(operators).toMatchObject({ Conv: 5, GlobalAveragePool: 1 });
  });
});
