/**
 * Makes the gate that stands before a classifier, and says how often it errs.
 *
 *   npm run gate -- --films chest_xray --others images --weights efficientnet-lite0.safetensors
 *   npm run gate -- --films chest_xray --gate models/gate.onnx --weights efficientnet-lite0.safetensors
 *
 * `--others` has one folder for each source of images that are no chest films. Writes models/gate.onnx
 * and models/gate.json (rates with 95 % intervals). Seeded: the same folders give the same gate. With
 * `--gate` nothing is fitted: the rates of films by limits set on other patients are measured of that
 * gate and written into the numbers beside it, for which the other images are not needed.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isHilumError } from "../src/errors.ts";
import { writeFileAtomically } from "../src/files.node.ts";
import { readWeights } from "../src/models/index.node.ts";
import { readModelFile, writeModelFile } from "../src/onnx/index.node.ts";
import { fitGate } from "../src/training/gate/fit-gate.ts";
import { measureGate } from "../src/training/gate/measure-gate.ts";

const { values } = parseArgs({
  options: {
    films: { type: "string" },
    others: { type: "string" },
    gate: { type: "string" },
    weights: { type: "string" },
    out: { type: "string", default: "models/gate" },
    most: { type: "string", default: "2500" },
    seed: { type: "string", default: "1" },
  },
});

let last = 0;
const seed = Number(values.seed);
const onProgress = ({ work, done, total }: { work: string; done: number; total: number }) => {
  if (done < total && Date.now() - last < 5000) return;
  last = Date.now();
  console.error(`${work}: ${done} of ${total}`);
};
const writeNumbers = (file: string, numbers: object) =>
  writeFileAtomically(file, `${JSON.stringify(numbers, null, 2)}\n`);

async function make(films: string, others: string, weights: string): Promise<void> {
  const { model, metrics } = await fitGate({
    films,
    others,
    weights: await readWeights(weights),
    seed,
    most: Number(values.most),
    onProgress,
  });
  writeModelFile(`${values.out}.onnx`, model);
  writeNumbers(`${values.out}.json`, metrics);
  console.log(JSON.stringify({ by: "its own limits", ...metrics.films }, null, 2));
  console.log(JSON.stringify({ by: "limits of others", ...metrics.filmsOutOfSample }, null, 2));
  console.log(JSON.stringify(metrics.unseenSources.all));
}

async function measure(films: string, gate: string, weights: string): Promise<void> {
  const filmsOutOfSample = await measureGate(await readModelFile(gate), {
    films,
    weights: await readWeights(weights),
    seed,
    onProgress,
  });
  const file = gate.replace(/\.onnx$/, ".json");
  const { films: own, ...rest } = JSON.parse(readFileSync(file, "utf8")) as Record<string, object>;
  writeNumbers(file, { films: own, ...rest, filmsOutOfSample });
  console.log(JSON.stringify(filmsOutOfSample, null, 2));
}

const { films, others, gate, weights } = values;
const work =
  films && weights
    ? others
      ? make(films, others, weights)
      : gate && measure(films, gate, weights)
    : undefined;
if (!work) {
  console.error(
    "Give --films DIR, --weights FILE (EfficientNet-Lite0's), and --others DIR to fit a gate or --gate FILE to measure one.",
  );
  process.exitCode = 2;
} else
  await work.catch((error: unknown) => {
    if (!isHilumError(error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
