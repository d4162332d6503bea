/**
 * Makes the gate that stands before a classifier, and says how often it errs.
 *
 *   npm run gate -- --films chest_xray --others images --weights efficientnet-lite0.safetensors
 *
 * `--others` has one folder for each source of images that are no chest films. Writes models/gate.onnx
 * and models/gate.json (rates with 95 % intervals). Seeded: the same folders give the same gate.
 */
import { parseArgs } from "node:util";
import { isHilumError } from "../src/errors.ts";
import { writeFileAtomically } from "../src/files.node.ts";
import { readWeights } from "../src/models/index.node.ts";
import { writeModelFile } from "../src/onnx/index.node.ts";
import { fitGate } from "../src/training/gate/fit-gate.ts";

const { values } = parseArgs({
  options: {
    films: { type: "string" },
    others: { type: "string" },
    weights: { type: "string" },
    out: { type: "string", default: "models/gate" },
    most: { type: "string", default: "2500" },
    seed: { type: "string", default: "1" },
  },
});
async function make(films: string, others: string, weights: string): Promise<void> {
  let last = 0;
  const { model, metrics } = await fitGate({
    films,
    others,
    weights: await readWeights(weights),
    seed: Number(values.seed),
    most: Number(values.most),
    onProgress({ work, done, total }) {
      if (done < total && Date.now() - last < 5000) return;
      last = Date.now();
      console.error(`${work}: ${done} of ${total}`);
    },
  });
  writeModelFile(`${values.out}.onnx`, model);
  writeFileAtomically(`${values.out}.json`, `${JSON.stringify(metrics, null, 2)}\n`);
  console.log(JSON.stringify(metrics.films, null, 2));
  console.log(JSON.stringify(metrics.unseenSources.all));
}

const { films, others, weights } = values;
if (!films || !others || !weights) {
  console.error("Give --films DIR, --others DIR and --weights FILE (EfficientNet-Lite0's).");
  process.exitCode = 2;
} else
  await make(films, others, weights).catch((error: unknown) => {
    if (!isHilumError(error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
