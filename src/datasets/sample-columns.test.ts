import { Session } from "node:inspector/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareBytes } from "./dataset.ts";
import { filmAsPatient, type SampleRow, sampleColumns } from "./sample-columns.ts";
import { joined, picked } from "./samples.ts";

const ROOT = join("films", "all");

const columnsOf = (rows: readonly SampleRow[]) => {
  const columns = sampleColumns(ROOT);
  for (const row of rows) columns.push(row);
  return columns.sorted();
};

const text = fc.string({ unit: "grapheme", minLength: 1 });
const row: fc.Arbitrary<SampleRow> = fc
  .record({
    key: text,
    split: fc.constantFrom(null, "train", "val", "test", "Prüfung"),
    target: fc.array(fc.constantFrom(0, 1, null), { maxLength: 3 }),
    patient: fc.option(text, { nil: undefined }),
    columns: fc.dictionary(text, fc.string()),
  })
  .map(({ patient, ...rest }) => ({ ...rest, patient: patient ?? filmAsPatient(rest.key) }));

const rows = fc.uniqueArray(row, { selector: ({ key }) => key, maxLength: 200 });

const sampleOf = (row: SampleRow) => ({ ...row, path: join(ROOT, row.key) });

describe("the columns of a data set", () => {
  it("give every sample back, in order of their keys", () => {
    fc.assert(
      fc.property(rows, (pushed) => {
        const expected = pushed.toSorted((a, b) => compareBytes(a.key, b.key)).map(sampleOf);
        expect([...columnsOf(pushed)]).toEqual(expected);
      }),
    );
  });

  it("do what an array of the samples does", () => {
    fc.assert(
      fc.property(rows, fc.integer(), fc.integer(), (pushed, start, end) => {
        const samples = columnsOf(pushed);
        const array = [...samples];
        const isTest = ({ split }: SampleRow) => split === "test";
        expect(samples).toHaveLength(array.length);
        expect([...samples.slice(start, end)]).toEqual(array.slice(start, end));
        expect(samples.at(start)).toEqual(array.at(start));
        expect(samples.map(({ key }, index) => `${index} ${key}`)).toEqual(
          array.map(({ key }, index) => `${index} ${key}`),
        );
        expect(samples.flatMap(({ target }) => target)).toEqual(
          array.flatMap(({ target }) => target),
        );
        expect([...samples.filter(isTest).filter(({ target }) => target[0] === 1)]).toEqual(
          array.filter(isTest).filter(({ target }) => target[0] === 1),
        );
        expect(samples.find(isTest)).toEqual(array.find(isTest));
        expect(samples.some(isTest)).toBe(array.some(isTest));
        expect(samples.every(isTest)).toBe(array.every(isTest));
      }),
    );
  });

  it("hold more different targets than a byte counts", () => {
    const targets = Array.from({ length: 700 }, (_, index) =>
      Array.from({ length: 10 }, (_, bit) => ((index >> bit) & 1) as 0 | 1),
    );
    const pushed = targets.map((target, index) => {
      const key = `film ${String(index).padStart(3, "0")}`;
      return { key, split: null, target, patient: filmAsPatient(key), columns: {} };
    });
    expect(columnsOf(pushed).map(({ target }) => target)).toEqual(targets);
  });

  it("take less than 100 bytes a film, and none of V8's heap that grows with the films", async () => {
    const held = async () => {
      const session = new Session();
      session.connect();
      await session.post("HeapProfiler.collectGarbage");
      session.disconnect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return { heapUsed, arrayBuffers };
    };
    const count = 50_000;
    const before = await held();
    const columns = sampleColumns(ROOT);
    for (let film = 0; film < count; film++) {
      const patient = `person${film >> 1}`;
      const key = `PNEUMONIA/${patient}_bacteria_${film}.jpeg`;
      columns.push({ key, split: null, target: [0, 1], patient, columns: {} });
    }
    const samples = columns.sorted();
    const after = await held();
    expect(samples.at(-1)?.key).toBe("PNEUMONIA/person9_bacteria_19.jpeg");
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100 * count);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(20 * count);
  });

  it("can be picked from and joined", () => {
    const samples = columnsOf(
      ["a", "b", "c"].map((key) => ({
        key,
        split: null,
        target: [0, 1],
        patient: filmAsPatient(key),
        columns: {},
      })),
    );
    const chosen = picked(samples, Uint32Array.of(2, 0));
    expect(chosen.map(({ key }) => key)).toEqual(["c", "a"]);
    expect(joined(chosen, samples.slice(1)).map(({ key }) => key)).toEqual(["c", "a", "b", "c"]);
    expect(joined(chosen, samples).at(-1)).toEqual(samples.at(2));
  });
});
