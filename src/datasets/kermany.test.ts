import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { classOf } from "./dataset.ts";
import { findLeaks } from "./leaks.ts";
import { openDataset } from "./open.ts";
import { splitByPatient } from "./split.ts";

const FILMS = "../shared/data/kermany-224";

// The films are not part of the repository: these tests exist where they lie beside it.
if (existsSync(FILMS))
  describe("the paediatric films", () => {
    it("are 1,341 and 3,875 of 2,635 patients, and split in equal shares without a leak", async () => {
      const { samples, task, problems } = await openDataset(FILMS);
      const count = (label: number, list = samples) =>
        list.filter((sample) => classOf(sample, task) === label).length;
      expect([count(0), count(1), problems]).toEqual([1341, 3875, []]);
      expect(new Set(samples.map(({ patient }) => patient)).size).toBe(2635);
      const { train, validation } = splitByPatient(samples, task, { seed: 1, valFraction: 0.15 });
      expect(findLeaks(train, validation)).toEqual([]);
      // 15 % of 1,341 and of 3,875, to within the 30 films of the largest patient.
      expect(Math.abs(count(0, [...validation]) - 201)).toBeLessThanOrEqual(30);
      expect(Math.abs(count(1, [...validation]) - 581)).toBeLessThanOrEqual(30);
    });

    it("are NORMAL, BACTERIA and VIRUS by their names", async () => {
      const { samples, task } = await openDataset(`${FILMS}/train`, {
        labelPattern: "_(bacteria|virus)_",
      });
      expect(task).toMatchObject({ classes: ["NORMAL", "BACTERIA", "VIRUS"], positive: null });
      const counts = [0, 1, 2].map(
        (label) => samples.filter((sample) => classOf(sample, task) === label).length,
      );
      expect(counts).toEqual([1341, 2530, 1345]);
    });
  });
else
  it("leaves the paediatric films out where they are not there", () => {
    expect(existsSync(FILMS)).toBe(false);
  });
