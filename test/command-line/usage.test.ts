import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ERROR_KINDS, type ErrorKind } from "../../src/errors.ts";
import { commandLine } from "../support/command-line.ts";
import { phantomFolder } from "../support/phantom-folder.ts";
import { writeSmallClassifier } from "../support/small-classifier.ts";

interface Failed {
  readonly error: {
    readonly code: string;
    readonly kind: ErrorKind;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
}

const hilum = commandLine();
let films: string;
let model: string;
let place: (name: string) => string;

beforeAll(async () => {
  const phantoms = await phantomFolder({ count: 12, size: 48 });
  ({ films, place } = phantoms);
  model = place("model.onnx");
  writeSmallClassifier(model);
});

/** Fails under --json and without; both say the same, the one as data, the other in one line. */
async function failure(...words: readonly string[]): Promise<Failed["error"]> {
  // One after the other: two at once would find each other's lock on a run folder.
  const outcome = await hilum(...words, "--json");
  const inProse = await hilum(...words);
  const { error } = outcome.json<Failed>();
  expect(Object.keys(error)).toEqual(["code", "kind", "message", "details"]);
  expect(outcome.exitCode, error.message).toBe(ERROR_KINDS[error.kind].exitCode);
  expect(outcome.exitCode).not.toBe(0);
  expect(inProse.exitCode).toBe(outcome.exitCode);
  expect(inProse.stdout).toBe("");
  expect(inProse.stderr).toBe(`hilum: ${error.message}\n`);
  return error;
}

describe("evaluate", () => {
  it("asks for a model or a file of predictions, and for the films of a model", async () => {
    expect((await failure("evaluate")).message).toContain("--predictions FILE");
    expect((await failure("evaluate", model)).message).toContain("--data DIR");
    const both = await failure("evaluate", model, "--predictions", "x.csv");
    expect(both.message).toContain("not both");
  });

  it("refuses to choose an operating point on the films that it evaluates", async () => {
    const error = await failure("evaluate", model, "--data", films, "--threshold", "youden");
    expect(error).toMatchObject({ code: "operating-point-refused", kind: "bad-input" });
    expect(error.message).toContain("hilum calibrate");
  });

  it("names the row of a file of predictions that is wrong", async () => {
    const file = place("predictions.csv");
    writeFileSync(file, "path,label,probability\na,NORMAL,0.1\nb,PNEUMONIA,nan\n");
    const error = await failure("evaluate", "--predictions", file);
    expect(error).toMatchObject({ code: "probability-invalid", details: { row: 3 } });
    expect((await failure("evaluate", "--predictions", place("none"))).code).toBe("file-not-found");
    writeFileSync(file, "path,label,probability\na,NORMAL,0.1\na,PNEUMONIA,0.9\n");
    expect((await failure("evaluate", "--predictions", file)).code).toBe("predictions-invalid");
    writeFileSync(file, "path,label,probability\na,NORMAL,0.1\n");
    const split = await failure("evaluate", "--predictions", file, "--split", "test");
    expect(split.code).toBe("split-unknown");
  });
});

describe("evaluate's subgroups by names", () => {
  it("need a name, an expression that matches, and no column of that name", async () => {
    const file = place("predictions.csv");
    writeFileSync(file, "path,label,probability,sex\na,NORMAL,0.1,f\nb,PNEUMONIA,0.9,m\n");
    const words = ["evaluate", "--predictions", file, "--subgroup-pattern"];
    expect((await failure(...words, "only")).message).toContain("it has to be NAME=REGEX");
    expect((await failure(...words, "kind=[")).message).toContain("no regular expression");
    expect((await failure(...words, "kind=zz")).message).toContain("matches none of 2 films");
    expect((await failure(...words, "sex=a")).message).toContain("a column of that name");
  });
});

describe("evaluate's draw of films to spoil", () => {
  it("has no meaning without --robustness", async () => {
    const words = ["evaluate", model, "--data", films, "--robustness-films", "3"];
    expect((await failure(...words)).message).toContain("with --robustness only");
  });
});

describe("compare and card", () => {
  it("ask for two models on the same films", async () => {
    expect((await failure("compare", model)).code).toBe("run-unfinished");
    expect((await failure("compare", model, "--data", films)).message).toContain("at least two");
    const [a, b] = [place("a.csv"), place("b.csv")];
    const write = (file: string, ...lines: string[]) =>
      writeFileSync(file, ["path,label,probability", "x,NORMAL,0.1", ...lines, ""].join("\n"));
    write(a, "y,PNEUMONIA,0.8");
    write(b, "z,PNEUMONIA,0.8");
    const films_ = await failure("compare", "--predictions", a, b);
    expect(films_).toMatchObject({ code: "predictions-differ" });
    expect(films_.message).toContain("says nothing of y");
    write(b, "y,PNEUMONIA,0.8", "z,PNEUMONIA,0.9");
    expect((await failure("compare", "--predictions", a, b)).message).toContain("nothing of z");
    expect((await failure("compare", model, "--predictions", a, b)).message).toContain("not both");
    expect((await failure("card", place("none"))).code).toBe("run-unfinished");
  });
});

describe("a wrong word", () => {
  it("is answered with the nearest command and the list", async () => {
    const error = await failure("trian");
    expect(error).toMatchObject({ code: "unknown-command", details: { suggestion: "train" } });
    expect(error.message).toMatch(
      /^There is no command "trian". Did you mean "train"\? There are: /,
    );
    expect((await failure("quux")).details).not.toHaveProperty("suggestion");
  });

  it("is answered with the nearest option", async () => {
    const error = await failure("train", films, "--out", place("run"), "--epoch", "3");
    expect(error).toMatchObject({
      code: "invalid-option",
      details: { option: "--epoch", suggestion: "--epochs" },
    });
    expect(error.message).toBe(
      "Unknown option '--epoch'. Did you mean --epochs? See: hilum train --help",
    );
  });

  it("is answered with the nearest network", async () => {
    const error = await failure("train", films, "--out", place("run"), "--model", "residul");
    expect(error.code).toBe("unknown-model");
    expect(error.message).toContain('Did you mean "residual"?');
  });

  it("is answered with what an option takes", async () => {
    const error = await failure("predict", model, films, "--threads", "-1");
    expect(error).toMatchObject({ code: "invalid-option", details: { option: "--threads" } });
    expect(error.message).toContain("It is not a whole number from 1");
  });

  it("is answered with what is missing", async () => {
    expect((await failure("train", films)).details.option).toBe("--out");
    expect((await failure("predict", model)).message).toContain("'paths'");
    expect((await failure("evaluate", model)).details.option).toBe("--data");
  });

  it("or none at all shows the commands on standard error", async () => {
    const { stdout, stderr, exitCode } = await hilum();
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
    expect(stderr).toContain("Commands:");
    const { error } = (await hilum("--json")).json<Failed>();
    expect(error.code).toBe("unknown-command");
  });
});

describe("a failure", () => {
  it("of any command names what is not there and exits 3", async () => {
    const nowhere = place("nowhere");
    for (const words of [
      ["audit", nowhere],
      ["train", nowhere, "--out", place("run")],
      ["evaluate", nowhere, "--data", films],
      ["evaluate", model, "--data", nowhere],
      ["predict", nowhere, films],
      ["inspect", nowhere],
    ]) {
      const error = await failure(...words);
      expect(error).toMatchObject({ code: "file-not-found", kind: "not-found" });
      expect(error.message).toContain(nowhere);
    }
  });

  it("says why a folder has no model", async () => {
    const unfinished = place("unfinished");
    mkdirSync(unfinished);
    expect((await failure("inspect", unfinished)).message).toContain("is no run");
    writeFileSync(join(unfinished, "config.json"), "{}");
    expect((await failure("inspect", unfinished)).message).toContain("--resume");
    const folds = place("folds");
    mkdirSync(join(folds, "fold-1"), { recursive: true });
    const error = await failure("predict", folds, films);
    expect(error).toMatchObject({ code: "run-unfinished", kind: "not-found" });
    expect(error.message).toContain(`Name one of them: ${join(folds, "fold-1")}`);
  });

  it("tells a film from a model", async () => {
    const film = place("film.onnx");
    writeFileSync(film, "no model");
    expect((await failure("predict", film, films)).code).toBe("model-malformed");
  });

  it("names the splits that there are", async () => {
    const error = await failure("evaluate", model, "--data", films, "--split", "tset");
    expect(error).toMatchObject({ code: "split-unknown", kind: "bad-input" });
  });

  it("to write a page is the file's, not ours", async () => {
    const error = await failure("audit", films, "--html", join(place("nowhere"), "page.html"));
    expect(error.code).toBe("file-not-found");
  });

  it("shows where it comes from under --debug only", async () => {
    const { stderr } = await hilum("inspect", place("nowhere"), "--debug");
    expect(stderr).toMatch(/^hilum: .*\nHilumError: .*\n {4}at /);
  });
});

it("stops quietly when nobody reads on", () => {
  const script = `"${process.execPath}" "${hilum.file}" predict "$1" "$2" --csv | head -c 1`;
  const output = execFileSync("sh", ["-c", script, "sh", model, films], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(output).toBe("p");
});
