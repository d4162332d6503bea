/** The films of a demo: all of them, or none. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type PhantomDatasetOptions,
  type PlannedPhantom,
  planPhantoms,
  writePhantomDataset,
} from "../datasets/index.ts";
import { guardDisk } from "../files.node.ts";
import { DEMO_FILES } from "./folder.ts";
import type { DemoSettings } from "./settings.ts";

/** What is drawn for those settings. */
export function filmsOf({ films, seed }: Pick<DemoSettings, "films" | "seed">) {
  return {
    count: films,
    seed,
    // More than the network's input, so that films are scaled down as real ones are.
    size: 160,
    splits: { train: 0.8, test: 0.2 },
  } satisfies PhantomDatasetOptions;
}

/** Draws the films unless all are there already, and returns their plan. */
export async function drawFilms(
  folder: string,
  settings: DemoSettings,
  context: Pick<PhantomDatasetOptions, "signal" | "onProgress">,
): Promise<readonly PlannedPhantom[]> {
  const films = join(folder, DEMO_FILES.films);
  if (existsSync(films)) return planPhantoms(filmsOf(settings));
  const unfinished = join(folder, DEMO_FILES.unfinishedFilms);
  rmSync(unfinished, { recursive: true, force: true });
  guardDisk(unfinished, () => mkdirSync(unfinished));
  const plan = await writePhantomDataset(unfinished, { ...filmsOf(settings), ...context });
  renameSync(unfinished, films);
  return plan;
}
