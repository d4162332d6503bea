import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { evaluatePredictions } from "../evaluation.ts";
import { groupsOf } from "./groups.ts";
import { evaluateSubgroups } from "./subgroups.ts";

const TWO = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 } as const;

/** A model that sees nothing in films of the site "south". */
const random = randomStream(1);
const sites = Array.from({ length: 160 }, (_, film) => ["north", "south"][film % 2]!);
const predictions = sites.map((site, film) => {
  const label = film % 4 < 2 ? 1 : 0;
  const score = 1 / (1 + Math.exp(-(random.normal() + (site === "north" ? 2 * label - 1 : 0))));
  return {
    target: label === 1 ? ([0, 1] as const) : ([1, 0] as const),
    probabilities: [1 - score, score],
  };
});

describe("evaluateSubgroups", () => {
  it("evaluates each group by itself and names the worst", () => {
    const options = { rounds: 200, patients: sites.map((_, film) => `p${film >> 2}`) };
    const { groups, worst, columns } = evaluateSubgroups(
      predictions,
      TWO,
      { site: sites },
      options,
    );
    expect(columns).toEqual([{ column: "site", metric: "auroc", insteadOf: null }]);
    expect([worst?.column, worst?.group]).toEqual(["site", "south"]);
    const films = sites.flatMap((site, film) => (site === "north" ? [film] : []));
    expect(groups[0]!.evaluation).toEqual(
      evaluatePredictions(
        films.map((film) => predictions[film]!),
        TWO,
        { rounds: 200, patients: films.map((film) => options.patients[film]!) },
      ),
    );
    expect(groups[0]!.evaluation.metrics.auroc!.method).toBe("cluster-bootstrap");
  });

  it("never names a small group, nor one beside which there is no other", () => {
    const columns = {
      device: sites.map((site, film) => (site === "south" && film < 24 ? "rare" : "usual")),
    };
    const { groups, worst } = evaluateSubgroups(predictions, TWO, columns, { rounds: 0 });
    const rare = groups.find(({ group }) => group === "rare")!;
    expect([rare.n, rare.isSmall]).toEqual([12, true]);
    expect(worst).toBeNull();
  });

  it("compares groups of one class by what all of them define, and says why", () => {
    const isIll = predictions.map(({ target }) => target[1] === 1);
    const columns = {
      pathogen: isIll.map((ill, film) => (ill ? ["bacteria", "virus"][film % 2]! : "")),
      healthy: isIll.map((ill, film) => (ill ? "" : ["child", "adult"][film % 2]!)),
      truth: isIll.map((ill) => (ill ? "ill" : "well")),
      site: sites,
    };
    const { groups, columns: compared } = evaluateSubgroups(predictions, TWO, columns, {
      rounds: 0,
    });
    expect(compared.map(({ column, metric }) => [column, metric])).toEqual([
      ["pathogen", "sensitivity"],
      ["healthy", "specificity"],
      ["truth", "accuracy"],
      ["site", "auroc"],
    ]);
    expect(compared[0]!.insteadOf).toEqual({
      metric: "auroc",
      groups: ["bacteria", "virus"],
      reason: "all images are of one class",
    });
    const virus = groups.find(({ group }) => group === "virus")!;
    expect(virus.metric).toBe("sensitivity");
    expect(virus.evaluation.metrics.sensitivity!.value).not.toBeNull();
  });

  it("names the group that falls furthest below all films, whatever its column is compared by", () => {
    const isIll = predictions.map(({ target }) => target[1] === 1);
    // Every film of "missed" is called healthy: further below all films than "south" by its area.
    const missed = predictions.map(({ probabilities }, film) =>
      isIll[film] ? (probabilities[1]! < 0.5 ? "missed" : "found") : "",
    );
    const { worst } = evaluateSubgroups(
      predictions,
      TWO,
      { site: sites, outcome: missed },
      { rounds: 0 },
    );
    expect([worst?.group, worst?.metric]).toEqual(["missed", "sensitivity"]);
  });
});

describe("groupsOf", () => {
  it("cuts columns of many numbers into thirds, equal ones together", () => {
    const values = Array.from({ length: 30 }, (_, film) => String(Math.floor(film / 2) * 10));
    const groups = groupsOf(values);
    expect(groups.map(({ name }) => name)).toEqual(["up to 40", "40 to 90", "above 90"]);
    expect(groups.map(({ films }) => films.length)).toEqual([10, 10, 10]);
  });

  it("sorts few numbers as numbers, texts as texts, and leaves unknown films out", () => {
    expect(groupsOf(["10", "9", "", "10"])).toEqual([
      { name: "9", films: [1] },
      { name: "10", films: [0, 3] },
    ]);
    expect(groupsOf(["viral", "bacterial", " "]).map(({ name }) => name)).toEqual([
      "bacterial",
      "viral",
    ]);
  });
});
