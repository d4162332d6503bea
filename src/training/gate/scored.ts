/** The gate's own graph on views: the numbers that a reading will get. */
import { readGateMetadata } from "../../classifier/index.ts";
import { openSession } from "../../onnx/index.node.ts";
import type { Model } from "../../onnx/index.ts";
import type { Seen } from "./seen.ts";

export interface Scored {
  readonly patient: string;
  /** In the order of the gate's table. */
  readonly ordered: readonly number[];
  readonly values: Readonly<Record<string, number>>;
}

/** In the order of what was seen; `side` is that of the views. */
export async function scored(gate: Model, seen: readonly Seen[], side: number): Promise<Scored[]> {
  const session = await openSession(gate);
  const { scores } = readGateMetadata(gate.metadata, "the gate")!;
  const known: Readonly<Record<string, number>> = { side, aspect: 1 };
  const results: Scored[] = [];
  for (const { pixels, patient } of seen) {
    const films = {
      type: "float32",
      dims: [1, 1, side, side],
      data: Float32Array.from(pixels),
    } as const;
    const made = await session.run({ films });
    const ordered = scores.map(({ name }) => known[name] ?? (made[name]!.data as Float32Array)[0]!);
    const values = Object.fromEntries(scores.map(({ name }, index) => [name, ordered[index]!]));
    results.push({ patient, ordered, values });
  }
  await session.close();
  return results;
}

/** The same films in each view, in one order. */
export interface ScoredFilms {
  readonly plain: readonly Scored[];
  readonly varied: readonly Scored[];
  readonly negatives: readonly Scored[];
}

/** Of films that were seen plain and varied, among other views. */
export async function scoredFilms(
  gate: Model,
  seen: readonly Seen[],
  side: number,
): Promise<ScoredFilms> {
  const [plain, varied] = ["plain", "varied"].map((name) =>
    seen.filter(({ view }) => view === name),
  );
  const negatives = plain!.map((film) => ({
    ...film,
    pixels: film.pixels.map((grey) => 255 - grey),
  }));
  return {
    plain: await scored(gate, plain!, side),
    varied: await scored(gate, varied!, side),
    negatives: await scored(gate, negatives, side),
  };
}
