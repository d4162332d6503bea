import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { rejection } from "../../test/support/rejection.ts";
import type { Task } from "../datasets/index.ts";
import { anonymous, type PredictionSet } from "./prediction-set.ts";
import { predictionsCsv } from "./predictions-csv.ts";
import { readPredictions } from "./predictions-file.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-predictions-"));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;

function fileOf(text: string): string {
  const file = join(root, `${files++}.csv`);
  writeFileSync(file, text);
  return file;
}

const read = (text: string, positive?: string) => readPredictions(fileOf(text), { positive });
const refused = (text: string, positive?: string) => rejection(read(text, positive));

const BINARY = `path,patient,label,probability,sex
a.png,p1,NORMAL,0.25,f
b.png,p1,PNEUMONIA,0.5,m
c.png,,PNEUMONIA,1e-3,
`;

describe("readPredictions", () => {
  it("reads two classes, the negative first, keeps further columns and lets a film be its own patient", async () => {
    expect(await read(BINARY)).toEqual({
      task: { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 },
      keys: ["a.png", "b.png", "c.png"],
      patients: ["p1", "p1", "file:c.png"],
      predictions: [
        { target: [1, 0], probabilities: [0.75, 0.25] },
        { target: [0, 1], probabilities: [0.5, 0.5] },
        { target: [0, 1], probabilities: [0.999, 0.001] },
      ],
      columns: { sex: ["f", "m", ""] },
    });
  });

  it("reads semicolons, tabs, a byte order mark, carriage returns and empty lines the same", async () => {
    const expected = await read(BINARY);
    for (const text of [
      BINARY.replaceAll(",", ";"),
      BINARY.replaceAll(",", "\t"),
      `\ufeff${BINARY.replaceAll("\n", "\r\n")}\r\n`,
    ])
      expect(await read(text)).toEqual(expected);
  });

  it("takes as positive the class that is named, or else the one that is not called normal", async () => {
    const text = "path,label,probability\na,1,0.9\nb,0,0.2\n";
    expect((await read(text)).task).toMatchObject({ classes: ["0", "1"], positive: 1 });
    const other = await read(text, "0");
    expect(other.task).toMatchObject({ classes: ["0", "1"], positive: 0 });
    expect(other.predictions[0]!.probabilities).toEqual([0.9, expect.closeTo(0.1)]);
    const open = "path,label,probability\na,LEFT,0.9\nb,RIGHT,0.2\n";
    expect(await refused(open)).toMatchObject({ code: "invalid-option" });
    expect((await read(open, "LEFT")).task).toMatchObject({ positive: 0 });
    expect((await refused(open, "UP")).message).toContain("no class is called so");
  });

  it("reads a file with one class only", async () => {
    const sick = await read("path,label,probability\na,PNEUMONIA,0.9\n");
    expect(sick.task).toMatchObject({ classes: ["not PNEUMONIA", "PNEUMONIA"], positive: 1 });
    const well = await read("path,label,probability\na,NORMAL,0.9\n");
    expect(well.task).toMatchObject({ classes: ["NORMAL", "not NORMAL"], positive: 1 });
  });

  it("reads a column for each class, and findings with what is true of each", async () => {
    const three = await read("path,label,p:A,p:B,p:C\nx,B,0.2,0.5,0.3\n");
    expect(three.task).toEqual({ kind: "classes", classes: ["A", "B", "C"], positive: null });
    expect(three.predictions).toEqual([{ target: [0, 1, 0], probabilities: [0.2, 0.5, 0.3] }]);
    const findings = await read("path,p:Mass,p:Edema,y:Mass,y:Edema\nx,0.9,0.8,1,\n");
    expect(findings.task).toEqual({ kind: "findings", findings: ["Mass", "Edema"] });
    expect(findings.predictions).toEqual([{ target: [1, null], probabilities: [0.9, 0.8] }]);
  });

  it.each([
    ["a score that is no number", "a,NORMAL,NaN", 3, "probability-invalid", /probability is "NaN"/],
    ["a score above 1", "a,NORMAL,1.5", 3, "probability-invalid", /"1.5"; it has to be/],
    ["a score below 0", "a,NORMAL,-0.1", 3, "probability-invalid", /from 0 to 1/],
    ["an empty score", "a,NORMAL,", 3, "probability-invalid", /probability is empty/],
    ["an infinite score", "a,NORMAL,Infinity", 3, "probability-invalid", /Infinity/],
    ["a path twice", "first,NORMAL,0.5", 3, "predictions-invalid", /first stands in row 2 already/],
    ["no path", ",NORMAL,0.5", 3, "predictions-invalid", /the path is empty/],
    ["no label", "a,,0.5", 3, "predictions-invalid", /the label is empty/],
    ["too few cells", "a,NORMAL", 3, "predictions-invalid", /Invalid Record Length/],
    ["a third class", "a,NORMAL,0.5\nb,MASS,0.5", 4, "predictions-invalid", /"MASS" is a third/],
  ] as const)("names the row with %s", async (_, line, row, code, message) => {
    const error = await refused(`path,label,probability\nfirst,PNEUMONIA,0.5\n${line}\n`);
    expect(error).toMatchObject({ code, details: { row } });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`row ${row}: `);
  });

  it("names a label without a column, probabilities that do not add up, and truths that are neither 0 nor 1", async () => {
    const classes = "path,label,p:A,p:B,p:C\nx,A,0.2,0.5,0.3\n";
    expect((await refused(`${classes}y,D,0.2,0.5,0.3\n`)).message).toMatch(/row 3: .*"D" is none/);
    expect((await refused(`${classes}y,A,0.9,0.5,0.3\n`)).message).toMatch(/row 3: .*1\.700/);
    const truth = await refused("path,p:M,y:M\nx,0.9,2\n");
    expect(truth.message).toMatch(/row 2: y:M is "2"/);
  });

  it("names a column that is missing, doubled or alone", async () => {
    for (const [header, message] of [
      ["path,label,probabilty", /no column "probability" \(is it "probabilty"\?\)/],
      ["label,probability", /no column "path"/],
      ["path,probability", /no column "label"/],
      ["path,label,label,probability", /two columns "label"/],
      ["path,label,p:A", /one column p:A only/],
      ["path,p:A,y:A,y:B", /y:B has no column p:B/],
    ] as const)
      expect((await refused(`${header}\n`)).message, header).toMatch(message);
    expect((await refused("path,label,probability\n")).message).toContain("there are no rows");
    expect((await refused("")).code).toBe("predictions-invalid");
    expect((await rejection(readPredictions(join(root, "none.csv")))).code).toBe("file-not-found");
    expect((await rejection(readPredictions(root))).message).toContain("is a folder");
  });

  it("reads 200,000 rows", async () => {
    const lines = Array.from(
      { length: 200_000 },
      (_, i) => `${i}.png,p${i >> 1},${i % 3 ? "PNEUMONIA" : "NORMAL"},${(i % 1000) / 1000}`,
    );
    const set = await read(`path,patient,label,probability\n${lines.join("\n")}\n`);
    expect(set.keys).toHaveLength(200_000);
    expect(set.predictions.at(-1)).toEqual({
      target: [0, 1],
      probabilities: [1 - 0.999, 0.999],
    });
  });
});

describe("predictionsCsv", () => {
  const awkward = ['a,"b".png', " c.png", "d\ne.png"];
  const setOf = (task: Task, target: (0 | 1 | null)[], probabilities: number[]): PredictionSet => ({
    task,
    keys: awkward,
    patients: ["p;1", "p;1", `file:${awkward[2]}`],
    predictions: awkward.map(() => ({ target, probabilities })),
    columns: { kind: ["x", "", "y"] },
  });

  it("writes what is read back the same, whatever is in the names", async () => {
    const third = Math.fround(1 / 3);
    const binary = ["NORMAL", "PNEUMONIA"];
    for (const set of [
      setOf({ kind: "classes", classes: binary, positive: 1 }, [0, 1], [1 - third, third]),
      setOf(
        { kind: "classes", classes: ["A", "B", "C"], positive: null },
        [0, 0, 1],
        [0, third, 1 - third],
      ),
      setOf({ kind: "findings", findings: ["M", "E"] }, [1, null], [third, 0]),
    ]) {
      const file = fileOf(predictionsCsv(set));
      const back = await readPredictions(file);
      const negative = ["not PNEUMONIA", "PNEUMONIA"];
      const task = {
        ...set.task,
        ...("positive" in set.task && set.task.positive === 1 ? { classes: negative } : {}),
      };
      expect(back).toEqual({ ...set, task });
    }
  });

  it("names neither films nor patients of an anonymous set, and keeps what belongs together", () => {
    const text = predictionsCsv(
      anonymous(setOf({ kind: "classes", classes: ["N", "P"], positive: 1 }, [0, 1], [0, 1]), []),
    );
    expect(text).toBe(
      "path,patient,label,probability\nimage 1,patient 1,P,1\nimage 2,patient 1,P,1\nimage 3,,P,1\n",
    );
  });
});
