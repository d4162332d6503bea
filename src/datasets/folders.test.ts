import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileTree } from "../../test/support/file-tree.ts";
import { rejection } from "../../test/support/rejection.ts";
import { openDataset } from "./open.ts";

const ARCHIVE = [
  "train/NORMAL/IM-0115-0001.jpeg",
  "train/NORMAL/NORMAL2-IM-0115-0002.jpeg",
  "train/PNEUMONIA/person1_bacteria_1.jpeg",
  "train/PNEUMONIA/person1_virus_6.jpeg",
  "val/NORMAL/NORMAL2-IM-1427-0001.jpeg",
  "val/PNEUMONIA/person1946_bacteria_4874.jpeg",
  "test/NORMAL/IM-0001-0001.jpeg",
  "test/PNEUMONIA/person1_virus_7.jpeg",
];
const CLUTTER = [
  ".DS_Store",
  "train/.DS_Store",
  "train/NORMAL/._IM-0115-0001.jpeg",
  "__MACOSX/train/NORMAL/IM-0115-0001.jpeg",
];
const below = (folder: string, files: readonly string[]) =>
  files.map((file) => `${folder}/${file}`);

const keysOf = async (root: string) => (await openDataset(root)).samples.map(({ key }) => key);

describe("folders", () => {
  it("read split/CLASS with classes in order, splits, patients and sorted keys", async () => {
    const dataset = await openDataset(fileTree([...ARCHIVE, ...CLUTTER]));
    expect(dataset.layout).toBe("split-folders");
    expect(dataset.task).toEqual({
      kind: "classes",
      classes: ["NORMAL", "PNEUMONIA"],
      positive: 1,
    });
    expect(dataset.samples.map(({ key }) => key)).toEqual(ARCHIVE.toSorted());
    expect(dataset.problems).toEqual([]);
    expect(dataset.split("test").map(({ target }) => target)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(dataset.split("train").map(({ patient }) => patient)).toEqual([
      "IM-115",
      "IM-115",
      "person1",
      "person1",
    ]);
  });

  it("give the same samples from the archive, its parent, and its nested copy", async () => {
    const archive = [
      ...below("chest_xray", [...ARCHIVE, ...CLUTTER]),
      ...below("chest_xray/chest_xray", [...ARCHIVE, ...CLUTTER]),
      ...below("__MACOSX/chest_xray", ARCHIVE),
    ];
    const root = fileTree([...archive, "archive.zip"]);
    for (const folder of [root, join(root, "chest_xray"), join(root, "chest_xray/chest_xray")])
      expect(await keysOf(folder)).toEqual(ARCHIVE.toSorted());
    const { problems } = await openDataset(root);
    expect(problems).toMatchObject([
      { code: "folder-ignored", key: "chest_xray", severity: "note" },
    ]);
  });

  it("read the training folder alone as CLASS/*", async () => {
    const root = fileTree(ARCHIVE);
    const dataset = await openDataset(join(root, "train"));
    expect(dataset.layout).toBe("class-folders");
    expect(dataset.samples.map(({ key, split }) => [key, split])).toEqual(
      ARCHIVE.slice(0, 4).map((key) => [key.slice("train/".length), null]),
    );
  });

  it("take the class from the highest folder, whatever lies below it", async () => {
    const patients = fileTree(["NORMAL/p1/a.png", "NORMAL/p2/b.png", "PNEUMONIA/p3/s1/c.png"]);
    expect((await openDataset(patients)).samples.map(({ target }) => target)).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    const splits = fileTree(["A/train/a.png", "A/test/b.png", "B/train/c.png"]);
    expect((await openDataset(splits)).split("test").map(({ key }) => key)).toEqual([
      "A/test/b.png",
    ]);
  });

  it("order classes by bytes after the negative one, and take any number", async () => {
    const root = fileTree(["b/1.png", "a/2.png", "No Finding/3.png", "Zebra/4.png"]);
    expect((await openDataset(root)).task).toEqual({
      kind: "classes",
      classes: ["No Finding", "Zebra", "a", "b"],
      positive: null,
    });
  });

  it("take classes from file names with labelPattern, and the folder's where it does not match", async () => {
    const dataset = await openDataset(fileTree(ARCHIVE), { labelPattern: "_(bacteria|virus)_" });
    expect(dataset.task).toMatchObject({ classes: ["NORMAL", "BACTERIA", "VIRUS"] });
    const mixed = fileTree(["NORMAL/a.png", "SICK/b_virus_1.png", "SICK/c.png"]);
    expect(await openDataset(mixed, { labelPattern: "_(virus)_" })).toMatchObject({
      task: { classes: ["NORMAL", "SICK", "VIRUS"] },
    });
  });

  it("report what is left out, and classes that differ in case only", async () => {
    const root = fileTree([
      "NORMAL/a.png",
      "Normal/b.png",
      "SICK/c.png",
      "SICK/notes.txt",
      "SICK/more.txt",
      "stray.png",
      "README",
    ]);
    const { problems } = await openDataset(root);
    expect(problems.map(({ code, key }) => [code, key])).toEqual([
      ["image-unlabelled", "stray.png"],
      ["file-ignored", "README"],
      ["file-ignored", "SICK/more.txt"],
      ["classes-alike", null],
      ["patient-unknown", "NORMAL/a.png"],
    ]);
  });

  it("follow links to folders, and come back from a circle of them", async () => {
    const films = fileTree(["a.png", "b.png"]);
    const root = fileTree(["NORMAL/c.png"]);
    symlinkSync(films, join(root, "SICK"));
    symlinkSync(root, join(root, "NORMAL", "again"));
    expect(await keysOf(root)).toEqual(["NORMAL/c.png", "SICK/a.png", "SICK/b.png"]);
  });

  it("take a DICOM file without an extension for a film, so that it is reported by name", async () => {
    const dicom = new Uint8Array(200);
    dicom.set(Buffer.from("DICM"), 128);
    const root = fileTree({ "NORMAL/IM0001": dicom, "NORMAL/notes": "text", "SICK/a.png": "" });
    expect(await keysOf(root)).toEqual(["NORMAL/IM0001", "SICK/a.png"]);
  });

  it("pass over the folders of runs, but not others that hold a config.json", async () => {
    const root = fileTree({
      "NORMAL/a.png": "",
      "NORMAL/config.json": "{}",
      "SICK/b.png": "",
      "runs/cnn/config.json": '{\n  "format": 1,\n  "hilum": "0.1.0"\n}',
      "runs/cnn/curves.png": "",
    });
    expect(await keysOf(root)).toEqual(["NORMAL/a.png", "SICK/b.png"]);
  });

  it("treat names of object members as plain names", async () => {
    expect(await keysOf(fileTree(["constructor/a.png", "toString/b.png"]))).toEqual([
      "constructor/a.png",
      "toString/b.png",
    ]);
  });
});

describe("patients", () => {
  it("come from the first group that takes part, of the name and then of the path", async () => {
    const root = fileTree(["NORMAL/x-12_1.png", "SICK/12/y.png", "SICK/z.png"]);
    const { samples, problems } = await openDataset(root, { patientPattern: "x-(\\d+)|(\\d+)/" });
    expect(samples.map(({ patient }) => patient)).toEqual(["12", "12", "file:SICK/z.png"]);
    expect(problems).toMatchObject([{ code: "patient-unknown", key: "SICK/z.png" }]);
  });

  it("are not named by a match of nothing", async () => {
    const root = fileTree(["NORMAL/12-1.png", "NORMAL/x.png", "SICK/y.png"]);
    const { samples } = await openDataset(root, { patientPattern: "^(\\d*)" });
    const unknown = ["file:NORMAL/x.png", "file:SICK/y.png"];
    expect(samples.map(({ patient }) => patient)).toEqual(["12", ...unknown]);
  });

  it.each([
    ["NORMAL/IM-0115-0001.jpeg", "IM-115"],
    ["NORMAL/NORMAL2-IM-0115-0001-0002.jpeg", "IM-115"],
    ["PNEUMONIA/person12_virus_3_1.jpeg", "person12"],
    ["PNEUMONIA/synthetic_person0007_bacteria_1.png", "person7"],
    ["PNEUMONIA/BACTERIA-1008087-0001.jpeg", "case-1008087"],
    ["NORMAL/NORMAL-1003233-0001.jpeg", "case-1003233"],
    ["images/00000013_004.png", "nih-13"],
    ["train/patient00012/study1/view1_frontal.jpg", "patient12"],
    ["p10/p10000032/s50414267/02aa804e.jpg", "p10000032"],
  ])("of %s is %s", async (key, patient) => {
    const { patientReader } = await import("./patient.ts");
    expect(patientReader()(key)).toBe(patient);
  });
});

describe("opening refuses", () => {
  it.each<[string, readonly string[], object, object]>([
    ["a folder without images", ["a/x.txt"], {}, { code: "dataset-empty" }],
    ["images outside of class folders", ["a.png", "b.png"], {}, { code: "dataset-empty" }],
    ["one class only", ["NORMAL/a.png"], {}, { code: "dataset-one-class" }],
    [
      "several data sets",
      ["a/NORMAL/1.png", "a/SICK/2.png", "b/NORMAL/1.png", "b/SICK/3.png"],
      {},
      { code: "dataset-ambiguous", details: { folders: ["a", "b"] } },
    ],
    [
      "a pattern that is no expression",
      ["A/a.png", "B/b.png"],
      { patientPattern: "(" },
      { code: "invalid-option", details: { option: "patientPattern" } },
    ],
    [
      "a pattern that matches nothing",
      ["A/a.png", "B/b.png"],
      { labelPattern: "_(virus)_" },
      { code: "invalid-option", details: { option: "labelPattern" } },
    ],
    [
      "a positive class that is none",
      ["A/a.png", "B/b.png"],
      { positive: "C" },
      { code: "invalid-option", details: { allowed: ["A", "B"] } },
    ],
  ])("%s", async (_, files, options, error) => {
    expect(await rejection(openDataset(fileTree(files), options))).toMatchObject(error);
  });

  it("a folder that is not there", async () => {
    expect(await rejection(openDataset(join(fileTree([]), "none")))).toMatchObject({
      code: "file-not-found",
    });
  });

  it("to go on once its signal aborts", async () => {
    const root = fileTree(["A/a.png", "B/b.png"]);
    const work = openDataset(root, { signal: AbortSignal.abort() });
    expect(await rejection(work)).toMatchObject({ code: "interrupted" });
  });

  it("a folder that may not be read", async () => {
    const root = fileTree(["A/a.png", "B/b.png"]);
    mkdirSync(join(root, "C"));
    chmodSync(join(root, "C"), 0);
    const opened = await openDataset(root).catch((error) => error);
    // The superuser may read everything; everybody else is told.
    if (process.getuid?.() === 0) expect(basename(opened.root)).toBe(basename(root));
    else expect(opened).toMatchObject({ code: "file-forbidden" });
  });
});
