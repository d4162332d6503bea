/** The model card of a run: computed, written, and kept in the model. */
import { join } from "node:path";
import { readMetadata, writeMetadata } from "../../classifier/index.ts";
import { writeFileAtomically } from "../../files.node.ts";
import { readModelFile, weightsDigest, writeModelFile } from "../../onnx/index.node.ts";
import type { RunFolder } from "../run-folder.ts";
import { validationOf } from "../run-validation.ts";
import { type CardFacts, cardFacts } from "./facts.ts";
import { cardResults } from "./results.ts";
import { cardMarkdown, cardPage } from "./text.ts";

export const CARD_FILES = { markdown: "card.md", page: "card.html" } as const;

export interface WriteCardOptions {
  /** Where the files go; by default into the run. */
  readonly folder?: string | undefined;
  /** A metrics.json of the run's model on other films, or the folder that holds it. */
  readonly evaluation?: string | undefined;
}

/**
 * Writes card.md and card.html into the folder and the same facts into the metadata of the run's
 * model. Throws `run-unfinished`, `run-damaged`, `disk-full`, and what `cardResults` throws.
 */
export async function writeCard(
  run: RunFolder,
  { folder = run.path, evaluation }: WriteCardOptions = {},
): Promise<CardFacts> {
  const file = run.file("model");
  const model = await readModelFile(file);
  const metadata = readMetadata(model.metadata, file);
  const results = evaluation ? cardResults(evaluation, weightsDigest(model.graph)) : null;
  const validation = await validationOf(run);
  const facts = cardFacts(run, { model, metadata, validation, results });
  writeFileAtomically(join(folder, CARD_FILES.markdown), cardMarkdown(facts));
  writeFileAtomically(join(folder, CARD_FILES.page), cardPage(facts));
  const described = new Map([...model.metadata, ...writeMetadata({ ...metadata, card: facts })]);
  writeModelFile(file, { ...model, metadata: described });
  return facts;
}
