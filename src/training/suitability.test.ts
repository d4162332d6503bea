import { describe, expect, it } from "vitest";
import type { Task } from "../datasets/index.ts";
import { networkEntry } from "../models/index.ts";
import { settingsOf, type TrainOptions } from "./options.ts";
import { defaultMetric, directionOf, refuseUnsuited } from "./suitability.ts";

const BINARY: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };
const THREE: Task = { kind: "classes", classes: ["A", "B", "C"], positive: null };
const FINDINGS: Task = { kind: "findings", findings: ["Effusion", "Mass"] };

function check(task: Task, options: TrainOptions, own: readonly string[] = []): void {
  const circumstances = { metric: defaultMetric(task), threads: 1 };
  refuseUnsuited(
    settingsOf({ model: "cnn", ...options }, networkEntry("cnn").recipe, circumstances),
    task,
    own,
  );
}

describe("refuseUnsuited", () => {
  it.each([BINARY, THREE, FINDINGS])("takes the defaults for $kind", (task) => {
    expect(() => check(task, {})).not.toThrow();
  });

  it("refuses focal loss with several classes only", () => {
    expect(() => check(THREE, { loss: "focal" })).toThrow(/Option loss: focal .* cross-entropy/);
    expect(() => check(BINARY, { loss: "focal" })).not.toThrow();
    expect(() => check(FINDINGS, { loss: "focal" })).not.toThrow();
  });

  it("refuses balanced sampling with findings only", () => {
    expect(() => check(FINDINGS, { balance: "sampling" })).toThrow(/Use weights with findings/);
    expect(() => check(THREE, { balance: "sampling" })).not.toThrow();
  });

  it("refuses a metric that the task does not have, with the list", () => {
    expect(() => check(THREE, { metric: "auroc" })).toThrow(/There are: accuracy, .*aurocMacro/);
    expect(() => check(BINARY, { metric: "accurcy" })).toThrow(/Did you mean accuracy\?/);
    expect(() => check(BINARY, { metric: "aurocMacro" })).toThrow(/not known for this task/);
  });

  it("takes a metric of the user's own, but none of a name that is in use", () => {
    expect(() => check(BINARY, { metric: "mine" }, ["mine"])).not.toThrow();
    expect(() => check(BINARY, {}, ["auroc"])).toThrow(/Give yours another name/);
  });
});

describe("directionOf", () => {
  it("wants more of the user's own metrics and less of losses", () => {
    expect(directionOf("mine", { mine: () => 1 })).toBe("higher");
    expect(directionOf("logLoss", undefined)).toBe("lower");
    expect(directionOf("auroc", {})).toBe("higher");
  });
});
