/** Optuna as a contestant: it says what it wants to try, and is answered with the trial's curve. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { HilumError } from "../src/errors.ts";
import type { Params, Space } from "../src/training/sweep/space.ts";
import type { Objective } from "./tuning-objective.ts";
import { ledger, type Progress, type Search } from "./tuning-search.ts";

const SCRIPT = fileURLToPath(new URL("./peers/optuna_tuning.py", import.meta.url));

type Said =
  | { readonly kind: "ready"; readonly version: string }
  | { readonly kind: "trial"; readonly params: Params }
  | { readonly kind: "ended"; readonly epochs: number; readonly isComplete: boolean };

/** TPE with its defaults, or as Hilum's own is: multivariate, grouped. */
export async function optunaSearch(
  python: string,
  space: Space,
  { curveOf }: Objective,
  search: Search & { readonly isMultivariate: boolean },
): Promise<Progress & { readonly version: string }> {
  const child = spawn(python, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
  let [errors, version] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const failed = once(child, "error").then(([error]) => unstarted((error as Error).message));
  const say = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  const book = ledger(search);
  const { seed, isMultivariate } = search;
  say({ dimensions: space.dimensions, seed, isMultivariate });
  const talk = async () => {
    let [perEpoch, overhead, best] = [0, 0, 0];
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as Said;
      if (said.kind === "ready") version = said.version;
      else if (said.kind === "trial") {
        const curve = curveOf(said.params);
        perEpoch = curve.secondsPerEpoch;
        overhead = curve.overhead;
        best = Math.min(...curve.losses);
        say({ losses: curve.losses });
      } else {
        book.add(overhead + said.epochs * perEpoch, said.isComplete ? best : null);
        say({ goesOn: !book.isSpent() });
        if (book.isSpent()) child.stdin.end();
      }
    }
  };
  await Promise.race([talk(), failed]);
  if (!book.isSpent()) unstarted(errors.trim().split("\n").at(-1) ?? "it said nothing");
  return { ...book.progress(), version };
}

function unstarted(reason: string): never {
  throw new HilumError(
    "invalid-option",
    `Optuna ended: ${reason}. Name a Python that has optuna==5.0.0 by --python, or leave it out.`,
    { option: "python", reason },
  );
}
