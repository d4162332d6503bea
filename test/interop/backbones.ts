/** Classifiers that torchvision, timm and Keras export on the spot, as backbones of ours. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Task } from "../../src/datasets/index.ts";
import { cutBackbone } from "../../src/models/index.ts";
import { blockedChannels, openSession, readModelFile } from "../../src/onnx/index.node.ts";
import { float32, sizeOf, type Tensor, toNumbers } from "../../src/onnx/index.ts";
import { randomStream } from "../../src/random.ts";
import { settingsOf, type TrainOptions } from "../../src/training/options.ts";
import { graphsOf } from "../../src/training/plan.ts";
import { openTrainer } from "../../src/training/trainer.ts";
import { chosenModel } from "../../src/training/transfer/choose.ts";
import { HEAD } from "../../src/training/transfer/network.ts";
import { pythonEnvironment } from "./environment.ts";
import type { Row } from "./row.ts";

/** The frameworks do not bear each other in one process; each has an environment. */
const EXPORTERS = [
  { name: "torch", preprocessing: "torch" },
  { name: "keras", preprocessing: "tf" },
] as const;

interface Exported {
  readonly name: string;
  readonly size: number;
  readonly films: number;
  /** Of the features. */
  readonly shape: readonly number[];
}

const CLOSE = 1e-4;
const STEPS = 8;
const LEARNING_RATE = 1e-3;
const BATCH = 4;
const TASK: Task = { kind: "classes", classes: ["NORMAL", "PNEUMONIA"], positive: 1 };

export async function checkBackbones(work: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, preprocessing } of EXPORTERS) {
    const folder = join(work, "exported", name);
    for (const exported of exportedBy(name, folder)) {
      const path = join(folder, `${exported.name}.onnx`);
      const row = (check: string, measured: number | string, limit: number): Row => ({
        check: `backbones: ${check}`,
        subject: exported.name,
        measured,
        limit,
      });
      const { size } = exported;
      const trained = await trainedSteps({ model: path, size, preprocessing });
      rows.push(
        row("difference of features", await differenceOfFeatures(path, folder, exported), CLOSE),
        row(`loss after ${STEPS} steps over the first`, trained.lossRatio, 0.99),
        row("tensors that train and should not, or do not", trained.wrong, 0),
      );
    }
  }
  return rows;
}

function exportedBy(name: string, folder: string): Exported[] {
  mkdirSync(folder, { recursive: true });
  const python = pythonEnvironment(`requirements-${name}.txt`);
  const script = fileURLToPath(new URL(`${name}_backbones.py`, import.meta.url));
  const { status, stderr } = spawnSync(python, ["-B", script, folder], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${name} exports nothing (${status}):\n${stderr}`);
  return JSON.parse(readFileSync(join(folder, "exported.json"), "utf8")) as Exported[];
}

/** Of the largest feature; text where the layer found is another. */
async function differenceOfFeatures(
  path: string,
  folder: string,
  { name, size, films, shape }: Exported,
): Promise<number | string> {
  const { graph, featureLayer } = cutBackbone(await readModelFile(path));
  const session = await openSession(graph, { threads: 1 });
  const x = floats(join(folder, `${name}.images`), [films, 3, size, size]);
  const { features } = await session.run({ x });
  await session.close();
  if (features!.dims.join() !== shape.join())
    return `"${featureLayer}" has shape [${features!.dims}], not [${shape}]`;
  const expected = toNumbers(floats(join(folder, `${name}.features`), shape));
  const differences = toNumbers(features!).map((value, i) => Math.abs(value - expected[i]!));
  const largest = expected.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  return differences.reduce((top, value) => Math.max(top, value), 0) / largest;
}

function floats(path: string, dims: readonly number[]): Tensor {
  const bytes = Uint8Array.from(readFileSync(path));
  return float32(dims, Array.from(new Float32Array(bytes.buffer, 0, sizeOf(dims))));
}

/** A new head and the topmost block trained on one batch, as `train` does it. */
async function trainedSteps(
  chosen: Pick<TrainOptions, "model" | "size" | "preprocessing">,
): Promise<{ readonly lossRatio: number; readonly wrong: number }> {
  const options = {
    ...chosen,
    batch: BATCH,
    unfreeze: 1,
    augmentation: "none",
    headDropout: 0,
  } as const;
  const { recipe, defaults, backbone } = await chosenModel(options, {});
  const settings = settingsOf({ ...defaults, ...options }, recipe, { metric: "auroc", threads: 2 });
  const { training, transfer } = graphsOf(settings, TASK, {
    batch: BATCH,
    block: await blockedChannels(),
    backbone: await backbone(settings),
    isPretrained: true,
  });
  const trainer = await openTrainer(training, { threads: 2 });
  const feeds = batchOf(settings.size);
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const { loss } = await trainer.step(feeds, {
      learningRate: LEARNING_RATE,
      step,
      noiseSeed: step,
    });
    losses.push(Number(loss!.data[0]));
  }
  const moved = training.state.filter(({ name, kind, initial }) => {
    const after = toNumbers(trainer.state().get(name)!);
    return kind === "parameter" && toNumbers(initial).some((value, i) => value !== after[i]);
  });
  await trainer.close();
  const wanted = new Set<string>([...HEAD, ...transfer!.blocks.at(-1)!]);
  const trained = new Set(moved.map(({ name }) => name));
  const wrong = [...new Set([...wanted, ...trained])].filter(
    (name) => wanted.has(name) !== trained.has(name),
  );
  return { lossRatio: losses.at(-1)! / losses[0]!, wrong: wrong.length };
}

/** Rows of one class and columns of the other, a little noise on them. */
function batchOf(size: number): Record<string, Tensor> {
  const random = randomStream(3, "films");
  const isColumns = (film: number) => film % 2 === 1;
  const data = Uint8Array.from({ length: BATCH * size * size }, (_, at) => {
    const [film, y, x] = [Math.floor(at / size ** 2), Math.floor(at / size) % size, at % size];
    const isBright = Math.floor((isColumns(film) ? x : y) / 4) % 2 === 0;
    return (isBright ? 200 : 20) + random.integer(30);
  });
  const targets = Array.from({ length: BATCH }, (_, film) => Number(isColumns(film)));
  return {
    images: { type: "uint8", dims: [BATCH, size, size], data },
    targets: float32([BATCH, 1], targets),
    weights: float32([BATCH, 1], Array<number>(BATCH).fill(1)),
  };
}
