import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { thrownBy } from "../../test/support/rejection.ts";
import { writeRun } from "../../test/support/written-run.ts";
import { lockFolder } from "../folder-lock.node.ts";
import { diffRuns, filterRuns, listRuns, rowOf, sortRuns } from "./runs.ts";

const folder = mkdtempSync(join(tmpdir(), "hilum-runs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

writeRun(join(folder, "a"), { model: "cnn", lr: 0.1, values: [0.6, 0.9, 0.8], time: 1000 });
writeRun(join(folder, "deep/down/b"), {
  model: "plain",
  lr: 0.1,
  values: [0.7],
  time: 2000,
  isFinished: false,
});
writeRun(join(folder, "folds/fold-1"), { model: "cnn", lr: 0.2, values: [], time: 0 });
mkdirSync(join(folder, "other"));
writeFileSync(join(folder, "other/config.json"), '{ "of": "something else" }');

const names = (rows: readonly { run: string }[]) => rows.map(({ run }) => run);

describe("runs below a folder", () => {
  it("are rows with the best epoch's metrics, newest first, whatever else lies there", () => {
    const rows = listRuns(folder);
    expect(names(rows)).toEqual(["folds/fold-1", "deep/down/b", "a"]);
    expect(rows[2]).toMatchObject({
      ...{ model: "cnn", state: "finished", epochs: 3, metric: "auroc", value: 0.9 },
      ...{ seconds: 6, time: 1003 },
    });
    expect(rows[1]).toMatchObject({ state: "unfinished", value: 0.7 });
    expect(rows[0]).toMatchObject({ epochs: 0, value: null, metrics: {} });
    expect(thrownBy(() => listRuns(join(folder, "none"))).code).toBe("file-not-found");
  });

  it("are sorted by a column either way, what is not known last", () => {
    const rows = listRuns(folder);
    expect(names(sortRuns(rows, "value"))).toEqual(["a", "deep/down/b", "folds/fold-1"]);
    expect(names(sortRuns(rows, "-value"))).toEqual(["deep/down/b", "a", "folds/fold-1"]);
    expect(names(sortRuns(rows, "-model"))[0]).toBe("deep/down/b");
    const error = thrownBy(() => sortRuns(rows, "aurok"));
    expect(error.message).toContain('Did you mean "auroc"?');
  });

  it.each([
    [["auroc>0.8"], ["a"]],
    [["epochs<=1"], ["folds/fold-1", "deep/down/b"]],
    [["model=cnn", "state=finished", "auroc>=0.9"], ["a"]],
    [["run~deep"], ["deep/down/b"]],
    [["model!=cnn"], ["deep/down/b"]],
    [["epochs=3"], ["a"]],
  ])("are filtered by %j", (conditions, expected) => {
    expect(names(filterRuns(listRuns(folder), conditions))).toEqual(expected);
  });

  it("are not filtered by what is no condition", () => {
    expect(thrownBy(() => filterRuns(listRuns(folder), ["auroc"])).code).toBe("invalid-option");
    expect(thrownBy(() => filterRuns(listRuns(folder), ["aurok>1"])).message).toContain("auroc");
  });
});

it("a run of a head alone has the head's best epoch and time", () => {
  const path = join(folder, "only-a-head");
  writeRun(path, { model: "cnn", lr: 0.1, values: [], head: [0.7, 0.8, 0.75], time: 10 });
  expect(rowOf(path, folder)).toMatchObject({ epochs: 0, value: 0.8, seconds: 6, time: 13 });
});

it("a run is in training while a live process holds it", () => {
  const path = join(folder, "held");
  writeRun(path, { model: "cnn", lr: 0.1, values: [0.6], time: 10, isFinished: false });
  const unlock = lockFolder(path);
  expect(rowOf(path, folder)?.state).toBe("training");
  unlock();
  expect(rowOf(path, folder)?.state).toBe("unfinished");
});

it("two runs differ in these settings and metrics", () => {
  const differences = diffRuns(join(folder, "a"), join(folder, "deep/down/b"));
  expect(differences).toEqual([
    { name: "model", before: "cnn", after: "plain" },
    { name: "metric auroc", before: 0.9, after: 0.7 },
  ]);
  expect(thrownBy(() => diffRuns(folder, join(folder, "a"))).code).toBe("file-not-found");
});
