import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import { type Audit, auditDataset } from "./audit.ts";
import { auditPage } from "./audit-page.ts";
import { auditPictures, auditSheet } from "./audit-pictures.ts";
import { auditText } from "./audit-text.ts";
import type { Dataset } from "./dataset.ts";
import { openDataset } from "./open.ts";
import { writePhantomDataset } from "./phantom/phantom-dataset.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-audit-"));
afterAll(() => rmSync(root, { recursive: true }));

let dataset: Dataset;
let audit: Audit;
const seen: number[] = [];

const inSet = (key: string) => {
  mkdirSync(dirname(join(root, key)), { recursive: true });
  return join(root, key);
};
const codes = () => audit.findings.map(({ code }) => code);
const finding = (code: string) => audit.findings.find((found) => found.code === code);

beforeAll(async () => {
  const plan = await writePhantomDataset(root, {
    count: 80,
    size: 96,
    seed: 4,
    splits: { train: 0.7, test: 0.3 },
  });
  const firstOf = (split: string, label: string) =>
    join(root, plan.find(({ key }) => key.startsWith(`${split}/${label}`))!.key);
  const normal = firstOf("train", "NORMAL");
  const other = firstOf("train", "PNEUMONIA");
  copyFileSync(normal, inSet("train/NORMAL/person900_1.jpeg"));
  copyFileSync(normal, inSet("train/PNEUMONIA/person901_bacteria_1.jpeg"));
  copyFileSync(other, inSet("test/PNEUMONIA/person902_virus_1.jpeg"));
  await sharp(other)
    .resize(70, 70)
    .linear(1.2, -10)
    .jpeg({ quality: 70 })
    .toFile(inSet("test/PNEUMONIA/person903_virus_1.jpeg"));
  writeFileSync(inSet("train/NORMAL/person904_1.jpeg"), readFileSync(normal).subarray(0, 900));
  const dicom = new Uint8Array(200);
  dicom.set(Buffer.from("DICM"), 128);
  writeFileSync(inSet("train/NORMAL/person905_1.dcm"), dicom);
  for (const [split, label] of [
    ["val", "NORMAL"],
    ["val", "PNEUMONIA"],
  ])
    copyFileSync(firstOf("test", label!), inSet(`${split}/${label}/person1_5.png`));
  copyFileSync(firstOf("test", "NORMAL"), inSet("test/NORMAL/person1_9.png"));
  // One class is wider, as from another machine.
  for (let i = 0; i < 40; i++)
    await sharp(other)
      .resize(140 + i, 90, { fit: "fill" })
      .png()
      .toFile(inSet(`train/PNEUMONIA/person${920 + i}_virus_1.png`));
  dataset = await openDataset(root);
  audit = await auditDataset(dataset, { onProgress: ({ done }) => seen.push(done) });
});

describe("auditDataset", () => {
  it("counts images, patients and labels by split", () => {
    const [train, val, test] = audit.splits;
    expect([train!.split, val!.split, test!.split]).toEqual(["train", "val", "test"]);
    expect(audit.splits.reduce((sum, { images }) => sum + images, 0)).toBe(audit.images);
    expect(val).toMatchObject({ images: 2, patients: 1, labels: { NORMAL: 1, PNEUMONIA: 1 } });
    expect(audit.images).toBe(dataset.samples.length);
    expect(seen.at(-1)).toBe(audit.images);
  });

  it("names the files that cannot be read, and why", () => {
    expect(audit.unreadable.map(({ key, code }) => [key, code])).toEqual([
      ["train/NORMAL/person904_1.jpeg", "image-malformed"],
      ["train/NORMAL/person905_1.dcm", "image-unsupported"],
    ]);
    expect(codes().filter((code) => code === "unreadable")).toHaveLength(2);
  });

  it("finds identical copies across classes, splits and patients", () => {
    const conflict = audit.exactDuplicates.find(({ hasConflict }) => hasConflict)!;
    expect(conflict.keys).toHaveLength(3);
    expect(conflict).toMatchObject({ crossesSplits: false, crossesPatients: true });
    expect(finding("copies-in-conflict")).toMatchObject({ severity: "error" });
    expect(finding("copies-across-splits")).toMatchObject({ severity: "error" });
  });

  it("finds a film that was scaled, changed in contrast and saved again", () => {
    const group = audit.nearDuplicates.find(({ keys }) =>
      keys.includes("test/PNEUMONIA/person903_virus_1.jpeg"),
    );
    expect(group).toMatchObject({ crossesSplits: true, crossesPatients: true });
    expect(codes()).toContain("near-copies-across-splits");
  });

  it("names patients in several splits, and a validation part of no use", () => {
    expect(audit.patientsAcrossSplits).toContainEqual({
      patient: "person1",
      splits: expect.objectContaining({ val: 2, test: 1 }),
    });
    expect(codes()).toEqual(expect.arrayContaining(["patients-in-test", "validation-useless"]));
  });

  it("says which plain numbers give a class away", () => {
    const shape = audit.differences.find(
      ({ measure, between }) => measure === "aspect ratio" && between === "labels",
    );
    expect(shape).toMatchObject({ first: "NORMAL", second: "PNEUMONIA" });
    expect(shape!.auroc).toBeGreaterThan(0.7);
    expect(finding("shortcut")?.message).toContain("aspect ratio (PNEUMONIA wider");
  });

  it("puts the gravest first", () => {
    const order = ["error", "warning", "note"];
    const ranks = audit.findings.map(({ severity }) => order.indexOf(severity));
    expect(ranks).toEqual(ranks.toSorted());
  });

  it("is plain data: JSON gives it back", () => {
    expect(JSON.parse(JSON.stringify(audit))).toEqual(audit);
  });

  it("stops when its signal aborts", async () => {
    const work = auditDataset(dataset, { signal: AbortSignal.abort() });
    expect(await rejection(work)).toMatchObject({ code: "interrupted" });
  });

  it("audits a set of which nothing can be read", async () => {
    const folder = mkdtempSync(join(root, "none-"));
    for (const name of ["A", "B"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "x.png"), "nothing");
    }
    const empty = await auditDataset(await openDataset(folder));
    expect(empty.unreadable).toHaveLength(2);
    expect(auditText(empty)).toContain("cannot be read");
    expect(auditPage(empty)).toContain("Unreadable files");
  });
});

describe("an audit is shown", () => {
  it("as text of at most 96 columns but for long names", () => {
    const text = auditText(audit);
    expect(text).toContain("ERROR");
    const long = text.split("\n").filter((line) => line.length > 96);
    expect(
      long.every((line) =>
        line
          .trim()
          .split(" ")
          .some((word) => word.length > 40),
      ),
    ).toBe(true);
  });

  it("as one page that loads nothing, with pictures where they are given", async () => {
    const plain = auditPage(audit);
    const rich = auditPage(audit, await auditPictures(dataset, audit, { filmsPerLabel: 2 }));
    for (const html of [plain, rich]) {
      expect(html).toContain("Not for clinical use");
      expect(html).not.toMatch(/(src|href)="(?!data:)/);
      expect(html).not.toContain("<script");
    }
    expect(plain).not.toContain("data:image");
    expect(rich.split("data:image/jpeg").length - 1).toBeGreaterThanOrEqual(6);
  });

  it("with names escaped", () => {
    const [first, ...rest] = audit.unreadable;
    const hostile = { ...first!, key: "<img src=x onerror=alert(1)>" };
    expect(auditPage({ ...audit, unreadable: [hostile, ...rest] })).not.toContain("<img src=x");
  });

  it("as a sheet with a row for each class", async () => {
    const sheet = await sharp(await auditSheet(dataset, 1, 5)).metadata();
    expect(sheet).toMatchObject({ format: "png", width: 5 * 154 + 4, height: 2 * 172 + 4 });
  });
});
