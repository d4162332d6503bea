import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { manifestLines } from "./manifest-lines.ts";
import { openDataset } from "./open.ts";

const opened = (
  csv: string,
  files: readonly string[] = ["a.png", "b.png", "c.png"],
  name = "manifest.csv",
) => openDataset(fileTree({ ...Object.fromEntries(files.map((file) => [file, ""])), [name]: csv }));

describe("a manifest", () => {
  it("gives class, patient, split and further columns", async () => {
    const { samples, task, layout } = await opened(
      'path,label,patient,split,age\n"a.png",PNEUMONIA,p1,training,4\nb.png,NORMAL,p2,validation,\nc.png,NORMAL,,holdout,2\n',
    );
    expect(layout).toBe("manifest");
    expect(task).toEqual({ kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 });
    expect(samples.map(({ path: _, ...rest }) => rest)).toEqual([
      { key: "a.png", target: [0, 1], patient: "p1", split: "train", columns: { age: "4" } },
      { key: "b.png", target: [1, 0], patient: "p2", split: "val", columns: { age: "" } },
      {
        key: "c.png",
        target: [1, 0],
        patient: "file:c.png",
        split: "holdout",
        columns: { age: "2" },
      },
    ]);
  });

  it("reads semicolons, tabs, a byte order mark and backslashes", async () => {
    const semicolons = await opened("\ufeffPath;Label\nA\\a.png;X\nA\\b.png;Y\n", [
      "A/a.png",
      "A/b.png",
    ]);
    expect(semicolons.samples.map(({ key }) => key)).toEqual(["A/a.png", "A/b.png"]);
    const tabs = await opened("Path\tLabel\na.png\tX\nb.png\tY\n");
    expect(tabs.task).toMatchObject({ classes: ["X", "Y"] });
  });

  it("takes a column of 0 and 1 for a finding, empty and -1 for unknown", async () => {
    const { task, samples } = await opened(
      "path,No Finding,Effusion,Edema,sex\na.png,,1.0,-1.0,F\nb.png,1.0,,,M\nc.png,0,,0,F\n",
    );
    expect(task).toEqual({ kind: "findings", findings: ["Effusion", "Edema"] });
    expect(samples.map(({ target }) => target)).toEqual([
      [1, null],
      [0, 0],
      [null, 0],
    ]);
    expect(samples.at(0)!.columns).toEqual({ sex: "F" });
  });

  it("takes several labels joined by | for findings", async () => {
    const { task, samples } = await opened("path,label\na.png,B|A\nb.png,No Finding\nc.png,\n");
    expect(task).toEqual({ kind: "findings", findings: ["A", "B"] });
    expect(samples.map(({ target }) => target)).toEqual([
      [1, 1],
      [0, 0],
      [null, null],
    ]);
  });

  it("reads JSONL with lists, or 1, 0 and null by finding", async () => {
    const lists = await opened(
      '{"path":"a.png","findings":["A"],"age":4}\n\n{"path":"b.png","findings":[]}\n',
      undefined,
      "manifest.jsonl",
    );
    expect(lists.task).toEqual({ kind: "findings", findings: ["A"] });
    expect(lists.samples.map(({ target }) => target)).toEqual([[1], [0]]);
    expect(lists.samples.at(0)!.columns).toEqual({ age: "4" });
    const byName = await opened(
      '{"path":"a.png","findings":{"A":1,"B":null},"portable":1}\n{"path":"b.png","findings":{"A":0,"B":1},"portable":0}\n',
      undefined,
      "manifest.jsonl",
    );
    expect(byName.samples.map(({ target }) => target)).toEqual([
      [1, null],
      [0, 1],
    ]);
    expect(byName.samples.at(0)!.columns).toEqual({ portable: "1" });
  });

  it("reads the ChestX-ray14 label file, wherever its images lie, with its official test part", async () => {
    const dataset = await openDataset(
      fileTree({
        "Data_Entry_2017.csv":
          "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age\n" +
          "00000001_000.png,Cardiomegaly|Emphysema,0,1,58\n" +
          "00000002_000.png,No Finding,0,2,81\n" +
          "00000003_000.png,Hernia,0,3,74\n",
        "test_list.txt": "00000002_000.png\n00000003_000.png\n",
        "images_001/images/00000001_000.png": "",
        "images_002/images/00000002_000.png": "",
      }),
    );
    expect(dataset.task).toEqual({ kind: "findings", findings: ["Cardiomegaly", "Emphysema"] });
    expect(dataset.samples.map(({ key, split, patient }) => [key, split, patient])).toEqual([
      ["images_001/images/00000001_000.png", "train", "1"],
      ["images_002/images/00000002_000.png", "test", "2"],
    ]);
    expect(dataset.samples.at(0)!.columns).toEqual({ "Follow-up #": "0", "Patient Age": "58" });
    expect(dataset.problems).toMatchObject([{ code: "manifest-rows-left-out" }]);
  });

  it("reads the published header of that file, in which a name holds a comma and the last is empty", async () => {
    const { samples, task, problems } = await openDataset(
      fileTree({
        "Data_Entry_2017.csv":
          "Image Index,Finding Labels,Patient ID,View Position,OriginalImage[Width,Height],\n" +
          "00000001_000.png,Effusion|Mass,1,PA,2682,2749,\n" +
          "00000001_001.png,No Finding,1,AP,2894,2729,\n",
        "images/00000001_000.png": "",
        "images/00000001_001.png": "",
      }),
    );
    expect(problems).toEqual([]);
    expect(task).toMatchObject({ findings: ["Effusion", "Mass"] });
    expect(samples.map(({ target, columns }) => [target, columns["View Position"]])).toEqual([
      [[1, 1], "PA"],
      [[0, 0], "AP"],
    ]);
  });

  it("says which of several images of one name it takes, and refuses a second row of one", async () => {
    const csv = "Image Index,Finding Labels\n1.png,A|B\n2.png,B\n";
    const files = { "full/1.png": "", "small/1.png": "", "full/2.png": "" };
    const { samples, problems } = await openDataset(
      fileTree({ ...files, "Data_Entry_2017.csv": csv }),
    );
    expect(samples.map(({ key }) => key)).toEqual(["full/1.png", "full/2.png"]);
    expect(problems).toMatchObject([
      { code: "manifest-names-ambiguous", message: expect.stringContaining("and not small/1.png") },
      { code: "patient-unknown" },
    ]);
    const twice = fileTree({ ...files, "Data_Entry_2017.csv": `${csv}1.png,A\n` });
    expect(await rejection(openDataset(twice))).toMatchObject({
      code: "manifest-invalid",
      details: { row: 4 },
    });
  });

  it("reads paths that begin with the folder's own name, as CheXpert's do", async () => {
    const root = fileTree({ "set/train/patient1/a.png": "", "set/train/patient2/b.png": "" });
    const folder = join(root, "set");
    const csv = "Path,Effusion\nset/train/patient1/a.png,1\nset/train/patient2/b.png,0\n";
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(folder, "train.csv"), csv);
    const { samples } = await openDataset(folder, { manifest: "train.csv" });
    expect(samples.map(({ key, patient }) => [key, patient])).toEqual([
      ["train/patient1/a.png", "patient1"],
      ["train/patient2/b.png", "patient2"],
    ]);
  });

  it("may be named itself, and take classes from file names", async () => {
    const root = fileTree({
      "x_virus_1.png": "",
      "x_bacteria_2.png": "",
      "list.csv": "path\nx_virus_1.png\nx_bacteria_2.png\n",
    });
    const { task } = await openDataset(join(root, "list.csv"), {
      labelPattern: "_(virus|bacteria)_",
    });
    expect(task).toMatchObject({ classes: ["BACTERIA", "VIRUS"] });
  });

  it("is hinted at where it has another name", async () => {
    const root = fileTree({ "a.txt": "", "labels.csv": "path,label\n" });
    expect((await rejection(openDataset(root))).message).toContain(
      "is labels.csv one? Then name it",
    );
  });
});

describe("a manifest is refused, naming the row, for", () => {
  it.each([
    ["an unknown path", "path,label\na.png,X\nb.png,Y\nnone.png,Y\n", 4],
    ["a path that leads out", "path,label\na.png,X\n../b.png,Y\n", 3],
    ["an absolute path elsewhere", "path,label\na.png,X\n/etc/hosts,Y\n", 3],
    ["a path twice", "path,label\na.png,X\nb.png,Y\n./a.png,X\n", 4],
    ["an empty path", "path,label\na.png,X\n,Y\n", 3],
    ["an empty label", "path,label\na.png,X\nb.png,\nc.png,Y\n", 3],
    ["a finding that is no flag", `path,finding:A\na.png,1\nb.png,maybe\n`, 3],
    ["a column that is there twice", "path,label,label\na.png,X,Y\nb.png,Y,X\n", 1],
    ["too few cells", "path,label,age\na.png,X,4\nb.png,Y\n", 3],
    ["too many cells", "path,label\na.png,X\nb.png,Y,Z\n", 3],
    ["a column of paths that is missing", "name,label\na.png,X\n", 1],
    ["no labels at all", "path,age\na.png,4\n", 1],
    ["no rows", "path,label\n", 1],
  ])("%s", async (_, csv, row) => {
    expect(await rejection(opened(csv))).toMatchObject({
      code: "manifest-invalid",
      details: { row },
      message: expect.stringContaining(`row ${row}`),
    });
  });

  it.each([
    ["no JSON", '{"path":"a.png","label":"X"}\n{"path":\n', 2],
    ["no object", '{"path":"a.png","label":"X"}\n\n[1]\n', 3],
  ])("a line that is %s", async (_, text, row) => {
    expect(await rejection(opened(text, undefined, "manifest.jsonl"))).toMatchObject({
      code: "manifest-invalid",
      details: { row },
    });
  });

  it("a file that is no text", async () => {
    const root = fileTree({ "film.png": Uint8Array.of(0x89, 0x50, 0, 1) });
    expect(await rejection(openDataset(join(root, "film.png")))).toMatchObject({
      code: "manifest-invalid",
    });
  });

  it("a slip in a column of flags", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i}.png,${i === 7 ? "x" : i % 2}`);
    const files = rows.map((_, i) => `${i}.png`);
    expect(await rejection(opened(`path,A\n${rows.join("\n")}\n`, files))).toMatchObject({
      code: "manifest-invalid",
      details: { row: 9 },
    });
  });
});

describe("the manifest of a run", () => {
  it.each([
    ["path,label,age\na.png,X,4\nb.png,Y,\nc.png,Z,5\n"],
    ["path,A,B,age\na.png,1,,4\nb.png,0,1,3\nc.png,,,2\n"],
  ])("reads back as the samples it was written from: %j", async (csv) => {
    const dataset = await opened(csv);
    const [first, second, third] = dataset.samples;
    const lines = manifestLines(
      { train: [first!], validation: [second!], test: [third!] },
      dataset.task,
    );
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(dataset.root, "used.jsonl"), [...lines].join(""));
    const again = await openDataset(dataset.root, { manifest: "used.jsonl" });
    expect(again.task).toEqual(dataset.task);
    expect([...again.samples]).toEqual(
      ["train", "val", "test"].map((split, i) => ({ ...dataset.samples.at(i), split })),
    );
  });

  it("carries digests where they are known", async () => {
    const dataset = await opened("path,label\na.png,X\nb.png,Y\n");
    const parts = { train: dataset.samples, validation: [] };
    const [line] = manifestLines(parts, dataset.task, {
      digestOf: ({ key }) => `digest of ${key}`,
    });
    expect(JSON.parse(line!)).toMatchObject({ path: "a.png", sha256: "digest of a.png" });
  });
});
