/** Files of every kind that Hilum writes, for other tools to read, and what is in them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { adamW, binaryCrossEntropy, trainingGraph } from "../../src/autodiff/index.ts";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { assembleClassifier, type ClassifierMetadata } from "../../src/classifier/index.ts";
import { drawPhantom, openDataset, writePhantomDataset } from "../../src/datasets/index.ts";
import type { GreyImage } from "../../src/images/index.ts";
import { backboneEntry, backboneGraph, NETWORKS } from "../../src/models/index.ts";
import { readModelFile, writeModelFile } from "../../src/onnx/index.node.ts";
import {
  allocate,
  DATA_TYPES,
  type DataType,
  graphBuilder,
  modelOf,
  operators as op,
  sizeOf,
  type Tensor,
  tensor,
  tensorBytes,
  writeSafetensors,
} from "../../src/onnx/index.ts";
import { type RandomStream, randomStream } from "../../src/random.ts";
import { train } from "../../src/training/index.ts";

/** What Python is told, in `cases.json`; paths are below the working folder. */
export interface Cases {
  readonly models: readonly {
    readonly path: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly batches: readonly Batch[];
  }[];
  /** Valid ONNX, but nothing to compare. */
  readonly graphs: readonly string[];
  readonly runs: readonly string[];
  readonly safetensors: readonly {
    readonly path: string;
    readonly metadata: Readonly<Record<string, string>>;
    /** Raw little-endian bytes of each tensor, in hexadecimal. */
    readonly tensors: Readonly<Record<string, { dims: readonly number[]; hex: string }>>;
  }[];
}

interface Batch {
  readonly film: string;
  /** `[N, H, W]`. */
  readonly shape: readonly [number, number, number];
  readonly probabilities: readonly (readonly number[])[];
}

/** Heights and widths of films: small, the network's own, larger than it, a detector's. */
const SIZES = [
  [3, 40, 25],
  [2, 64, 64],
  [2, 333, 512],
  [1, 1990, 2396],
] as const;

export async function writeOurs(work: string): Promise<Cases> {
  const films = writeFilms(join(work, "films"));
  const folders = await trainRuns(work);
  const models = folders.map((folder) => join(folder, "model.onnx"));
  models.push(...writeNetworks(join(work, "networks")), await writeExternal(models[0]!, work));
  const cases: Cases = {
    models: await Promise.all(models.map((path) => caseOf(path, films, work))),
    graphs: [
      ...writeTrainingGraphs(join(work, "training")),
      ...writeBackbones(join(work, "backbones")),
    ].map((path) => relative(work, path)),
    runs: folders.map((folder) => relative(work, folder)),
    safetensors: [writeEveryType(work)],
  };
  writeFileSync(join(work, "cases.json"), JSON.stringify(cases));
  return cases;
}

type Films = { readonly path: string; readonly films: readonly GreyImage[] };

function writeFilms(folder: string): Films[] {
  mkdirSync(folder, { recursive: true });
  return SIZES.map(([count, height, width], place) => {
    const films = Array.from({ length: count }, (_, index) => {
      const label = index === 0 ? "PNEUMONIA" : "NORMAL";
      const size = Math.max(64, Math.min(700, Math.max(height, width)));
      const phantom = drawPhantom({ seed: 31, index, patient: 10 * place + index, label, size });
      const pixels = Uint8Array.from({ length: height * width }, (_, at) => {
        const [y, x] = [Math.floor(at / width) % phantom.height, (at % width) % phantom.width];
        return phantom.pixels[y * phantom.width + x]!;
      });
      return { ...phantom, height, width, pixels };
    });
    const path = join(folder, `${height}x${width}.bin`);
    writeFileSync(path, Buffer.concat(films.map(({ pixels }) => pixels)));
    return { path, films };
  });
}

/** A run of each kind: two classes, squashed and padded; three classes. */
async function trainRuns(work: string): Promise<string[]> {
  const data = join(work, "phantoms");
  await writePhantomDataset(data, { count: 60, size: 160, seed: 17 });
  const kinds = [
    { name: "squash", options: { fit: "squash" }, labelPattern: undefined },
    { name: "pad", options: { fit: "pad", normalization: "range" }, labelPattern: undefined },
    { name: "three-classes", options: {}, labelPattern: "_(bacteria|virus)_" },
  ] as const;
  const folders: string[] = [];
  for (const { name, options, labelPattern } of kinds) {
    const dataset = await openDataset(data, { labelPattern });
    const run = await train(
      dataset,
      { model: "cnn", width: 0.5, size: 64, epochs: 4, batch: 8, lr: 0.003, ...options },
      { out: join(work, "runs", name), cacheFolder: join(work, "cache") },
    );
    folders.push(run.run);
  }
  return folders;
}

/** Every network that Hilum knows, as it is before training. */
function writeNetworks(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const metadata: ClassifierMetadata = {
    task: { kind: "findings", findings: ["Effusion", "Mass", "Nodule"] },
    input: { size: 64, fit: "squash", normalization: "standardize", window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  };
  return NETWORKS.map(({ name, build }) => {
    const path = join(folder, `${name}.onnx`);
    const network = build({ width: 0.5, depth: 1, seed: 5 });
    writeModelFile(path, assembleClassifier(network, new Map(), metadata));
    return path;
  });
}

async function writeExternal(model: string, work: string): Promise<string> {
  const path = join(work, "external", "model.onnx");
  mkdirSync(join(work, "external"), { recursive: true });
  writeModelFile(path, await readModelFile(model), { externalData: true });
  return path;
}

async function caseOf(path: string, films: readonly Films[], work: string) {
  await using classifier = await loadClassifier(path);
  const batches: Batch[] = [];
  for (const { path: film, films: batch } of films) {
    const { height, width } = batch[0]!;
    const rows = await classifier.probabilities(batch);
    batches.push({
      film: relative(work, film),
      shape: [batch.length, height, width],
      probabilities: rows.map((row) => Array.from(row)),
    });
  }
  const metadata = Object.fromEntries(classifier.model.metadata);
  return { path: relative(work, path), metadata, batches };
}

/** One with norms and a convolution of groups, one of attention. */
function writeBackbones(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return ["mobilenet-v2", "vit-tiny"].map((name) => {
    const path = join(folder, `${name}.onnx`);
    writeModelFile(path, modelOf(backboneGraph(backboneEntry(name), { withTop: true })));
    return path;
  });
}

/** One step of training of every network, as a graph. */
function writeTrainingGraphs(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return NETWORKS.map(({ name, build }) => {
    const builder = graphBuilder();
    const images = builder.input("images", "float32", [4, 1, 32, 32]);
    const targets = builder.input("targets", "float32", [4, 1]);
    const weights = builder.input("weights", "float32", [4, 1]);
    const logits = build({ width: 0.25, depth: 1, seed: 5 })(images, 1);
    builder.output(binaryCrossEntropy()({ logits, targets, weights }), "loss");
    builder.output(op.sigmoid(logits), "probabilities");
    const training = trainingGraph(builder.build("forward"), { optimizer: adamW() });
    const path = join(folder, `${name}.onnx`);
    writeModelFile(path, modelOf(training.graph));
    return path;
  });
}

function filledAtRandom(type: DataType, dims: readonly number[], random: RandomStream): Tensor {
  const data = allocate(type, sizeOf(dims));
  for (let i = 0; i < data.length; i++) {
    const value = random.integer(type === "bool" ? 2 : 120);
    data[i] = typeof data[i] === "bigint" ? BigInt(value) : value;
  }
  return tensor(type, dims, data);
}

function writeEveryType(work: string): Cases["safetensors"][number] {
  const path = join(work, "every-type.safetensors");
  const random = randomStream(9, "every type");
  // Python's NumPy reader knows no bfloat16; scalars, empty and odd shapes are part of the format.
  const types = DATA_TYPES.filter((type) => type !== "bfloat16");
  const tensors = new Map<string, Tensor>(
    types.flatMap((type, index) =>
      [[], [0, 2], [3, 1 + (index % 3)]].map((dims): [string, Tensor] => [
        `${type}${dims.map((dim) => `.${dim}`).join("")}`,
        filledAtRandom(type, dims, random),
      ]),
    ),
  );
  const metadata = { origin: "hilum", note: 'synthetic, "quoted"' };
  writeFileSync(path, writeSafetensors({ tensors, metadata }));
  const entries = [...tensors].map(([name, contents]) => {
    const hex = Buffer.from(tensorBytes(contents)).toString("hex");
    return [name, { dims: contents.dims, hex }] as const;
  });
  return { path: relative(work, path), metadata, tensors: Object.fromEntries(entries) };
}
