import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { withFormulaWeights } from "../../../test/reference/backbones/formula.ts";
import { hashes, values } from "../../../test/reference/trajectories/formula.ts";
import { expectClose } from "../../../test/support/close.ts";
import { phantomFolder } from "../../../test/support/phantom-folder.ts";
import { referencePath } from "../../../test/support/reference-file.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { BINARY, writeSmallClassifier } from "../../../test/support/small-classifier.ts";
import {
  type Classifier,
  enlargedHeat,
  loadClassifier,
  openPictureReader,
} from "../../classifier/index.node.ts";
import { assembleClassifier, type ClassifierInput, readMetadata } from "../../classifier/index.ts";
import type { GreyImage } from "../../images/index.ts";
import { layersOf, type Network, networkEntry } from "../../models/index.ts";
import { float32, isConstantName, operators as op } from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import { faithfulness, faithfulnessOf, levelsOf, type MapMaker } from "./faithfulness.ts";
import type { Mapper } from "./film-record.ts";
import {
  areaUnder,
  blurredPicture,
  fallingOrder,
  flatPicture,
  probabilitiesAlong,
} from "./perturbation.ts";
import { matchedMaps, shiftedFilm, shiftOf } from "./shift.ts";
import { rankCorrelation, structuralSimilarity } from "./similarity.ts";

interface Reference {
  readonly steps: number;
  readonly curves: Readonly<
    Record<"deletion" | "insertion", { probabilities: number[]; area: number }>
  >;
  readonly rankCorrelation: number;
  readonly ssim: number;
}

const REFERENCE: Reference = JSON.parse(
  readFileSync(referencePath("explanations/faithfulness.json"), "utf8"),
);
const SIDE = 32;
const source = { format: "png", bitsPerSample: 8, window: null } as const;

const classifierOf = (network: Network, normalization: ClassifierInput["normalization"]) =>
  assembleClassifier(network, new Map(), {
    task: BINARY,
    input: { size: SIDE, fit: "squash", normalization, window: null },
    operatingPoint: null,
    provenance: {},
    metrics: {},
  });

describe("by NumPy, SciPy and scikit-image", () => {
  it.each(["deletion", "insertion"] as const)(
    "%s has these probabilities and area",
    async (name) => {
      const network = networkEntry("cnn").build({ width: 0.25, depth: 1, seed: 1 });
      const plain = classifierOf(network, "range");
      const model = { ...plain, graph: withFormulaWeights(plain.graph, isConstantName) };
      const reader = await openPictureReader(model);
      const pixels = Uint8Array.from(hashes("films", SIDE ** 2), (hash) => hash % 256);
      const picture = await reader.pictureOf({ width: SIDE, height: SIDE, pixels });
      const saliency = values("saliency", [SIDE, SIDE]).data as Float32Array;
      const order = fallingOrder(saliency, randomStream(0));
      const ends =
        name === "deletion"
          ? { from: picture, to: flatPicture(picture) }
          : { from: blurredPicture(picture, SIDE), to: picture };
      const options = { ...ends, order, column: 1, steps: REFERENCE.steps };
      const curve = await probabilitiesAlong(reader, options);
      await reader.close();
      const { probabilities, area } = REFERENCE.curves[name];
      const dims = [REFERENCE.steps + 1];
      expectClose({ dims, data: curve }, { dims, data: probabilities }, { absolute: 2e-5 }, name);
      expect(areaUnder(curve)).toBeCloseTo(area, 5);
    },
  );

  it("maps are as alike in ranks and in structure", () => {
    const drawn = (name: string, scale: number) =>
      [...values(name, [SIDE, SIDE], scale).data].map(Number);
    // Ties at 0, as a map after a ReLU has them.
    const one = drawn("one", 1).map((value) => Math.max(value, 0));
    const other = drawn("other", 0.5).map((value, at) => Math.max(0.5 * one[at]! + value, 0));
    expect(rankCorrelation(one, other)).toBeCloseTo(REFERENCE.rankCorrelation, 9);
    expect(
      structuralSimilarity(one.map(scaledBy(one)), other.map(scaledBy(other)), SIDE),
    ).toBeCloseTo(REFERENCE.ssim, 6);
    expect(rankCorrelation(one, new Float32Array(one.length))).toBeNull();
  });
});

const scaledBy = (all: readonly number[]) => {
  const largest = Math.max(...all);
  return (value: number) => value / largest;
};

describe("the order of pixels", () => {
  it("falls, and is drawn by the seed among equal values", () => {
    const order = (seed: number) => [...fallingOrder([1, 5, 1, 3, 1], randomStream(seed))];
    expect(order(1).slice(0, 2)).toEqual([1, 3]);
    expect(order(1)).toEqual(order(1));
    const ends = new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => order(seed).join()));
    expect(ends.size).toBeGreaterThan(2);
  });
});

describe("a shifted film", () => {
  const pixels = Uint8Array.from(hashes("shift", 24 * 12), (hash) => hash % 256);
  const film: GreyImage = { width: 24, height: 12, pixels, source };
  const ownMap = ({ width, height, pixels: greys }: GreyImage) => ({
    width,
    height,
    values: Float32Array.from(greys),
  });

  it.each([
    ["squash", { x: 4, y: 0 }, { x: 4, y: 0 }],
    ["squash", { x: 0, y: -4 }, { x: 0, y: -2 }],
    ["pad", { x: 0, y: -4 }, { x: 0, y: -4 }],
  ] as const)("fitted by %s has its map back in place", (fit, asked, moved) => {
    const shift = shiftOf(film, 24, fit, asked);
    expect(shift).toEqual(moved);
    const other = shiftedFilm(film, shift);
    // A map of the film's own greys moves with it, over the part of the square that it takes.
    const square = (of: GreyImage) => (fit === "pad" ? padded(ownMap(of)) : ownMap(of));
    const place = { film, size: 24, fit, shift };
    const brought = matchedMaps(square(film), square(other), place);
    expect(likenessWhereShown(...brought)).toBeGreaterThan(0.9);
    const left = [film, other].map((of) => enlargedHeat(square(of), 24));
    expect(likenessWhereShown(left[0]!, left[1]!)).toBeLessThan(0.6);
  });

  /** The film in the middle of its square. */
  function padded({ width, height, values: own }: ReturnType<typeof ownMap>) {
    const all = new Float32Array(width * width);
    all.set(own, ((width - height) / 2) * width);
    return { width, height: width, values: all };
  }

  function likenessWhereShown(one: Float32Array, other: Float32Array) {
    const isShown = (_: number, at: number) => one[at] !== 0 && other[at] !== 0;
    return rankCorrelation(one.filter(isShown), other.filter(isShown));
  }
});

describe("heat maps of films", () => {
  const SET = { count: 6, size: 48, seed: 11 };
  let films: { path: string; patient: string }[];
  let classifier: Classifier;

  beforeAll(async () => {
    const phantoms = await phantomFolder(SET);
    const { planPhantoms } = await import("../../datasets/index.ts");
    films = planPhantoms(SET).map(({ key }, index) => ({
      path: join(phantoms.films, key),
      patient: `patient ${index >> 1}`,
    }));
    const model = phantoms.place("model.onnx");
    writeSmallClassifier(model);
    classifier = await loadClassifier(model);
    return () => classifier.close();
  });

  const options = { class: "PNEUMONIA", rounds: 200 };

  it("that an edge detector makes fail the check against shuffled weights", async () => {
    const edges: MapMaker = {
      method: "edges",
      open: async () => ({
        async explain(shown) {
          const probabilities = await classifier.probabilities(shown);
          return shown.map((film, index) => ({
            heatMap: edgesOf(film),
            probabilities: probabilities[index]!,
          }));
        },
        close: async () => {},
      }),
    };
    const found = await faithfulnessOf(classifier, films.slice(0, 3), [edges], options);
    const [{ forgotten, dependsOnWeights, metrics }] = found.methods as [
      (typeof found.methods)[number],
    ];
    expect(found).toMatchObject({ class: "PNEUMONIA", films: 3, patients: 2, layers: 5 });
    expect(forgotten.map(({ layers }) => layers)).toEqual([1, 2, 4, 5]);
    for (const { rankCorrelation: rank, ssim } of forgotten) {
      expect(rank.value).toBeCloseTo(1, 9);
      expect(ssim.value).toBeCloseTo(1, 9);
    }
    expect(dependsOnWeights).toBe(false);
    // Edges move with the film.
    expect(metrics.shiftRank!.value).toBeGreaterThan(0.9);
  });

  it.each(["grad-cam", "integrated-gradients"] as const)(
    "by %s pass it, have intervals by patient, and are the same again",
    async (method) => {
      const four = films.slice(0, 4);
      const of = () => faithfulness(classifier, four, { ...options, methods: [method] });
      const found = await of();
      const [{ metrics, dependsOnWeights, curves }] = found.methods as [
        (typeof found.methods)[number],
      ];
      expect(dependsOnWeights).toBe(true);
      expect(metrics.deletion).toMatchObject({ method: "cluster-bootstrap" });
      expect(metrics.deletion!.low!).toBeLessThan(metrics.deletion!.high!);
      expect(curves.map.deletion).toHaveLength(found.steps + 1);
      expect(curves.map.deletion[0]).toBeCloseTo(curves.map.insertion.at(-1)!, 5);
      expect(metrics.deletion!.value).toBeCloseTo(areaUnder(curves.map.deletion), 9);
      expect(await of()).toEqual(found);
    },
  );

  it("stop when asked to, and are of no class that the model does not know", async () => {
    const stop = new AbortController();
    const stopped = faithfulness(classifier, films, {
      ...options,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(await rejection(stopped)).toMatchObject({ code: "interrupted" });
    const unknown = faithfulnessOf(classifier, films, [], { class: "FRACTURE" });
    expect(await rejection(unknown)).toMatchObject({ code: "invalid-option" });
  });
});

/** How much the greys change to the right and below. */
function edgesOf({ width, height, pixels }: GreyImage) {
  const at = (x: number, y: number) =>
    pixels[Math.min(height - 1, y) * width + Math.min(width - 1, x)]!;
  const edges = Float32Array.from(pixels, (grey, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Math.abs(at(x + 1, y) - grey) + Math.abs(at(x, y + 1) - grey);
  });
  return { width, height, values: edges };
}

it("a map of what the network reads beats chance and the middle, one of the rest loses", async () => {
  // The network reads the upper left quarter alone: how much of a chequered pattern it shows.
  const quarter = SIDE / 2;
  const corner: Network = (x, outputs) => {
    const read = op.slice(x, [
      { axis: 2, start: 0, end: quarter },
      { axis: 3, start: 0, end: quarter },
    ]);
    return layersOf(1).dense(op.flatten(read), "head", outputs);
  };
  const plain = classifierOf(corner, "standardize");
  const isLight = (at: number, side: number) => ((at % side) + Math.floor(at / side)) % 2 === 0;
  const pattern = Array.from({ length: quarter ** 2 }, (_, at) => (isLight(at, quarter) ? 3 : -3));
  const weights = float32(
    [1, quarter ** 2],
    pattern.map((value) => value / quarter ** 2),
  );
  const initializers = new Map([...plain.graph.initializers, ["head.weight", weights]]);
  const model = { ...plain, graph: { ...plain.graph, initializers } };
  const { place } = await phantomFolder({ count: 1, size: 32, seed: 1 });
  const [path, plainPath] = ["chequered.png", "plain.png"].map((name) => place(name)) as [
    string,
    string,
  ];
  const isCorner = (at: number) => at % SIDE < quarter && at < quarter * SIDE;
  const greys = Uint8Array.from({ length: SIDE ** 2 }, (_, at) =>
    isCorner(at) ? (isLight(at, SIDE) ? 220 : 30) : 125,
  );
  // All dark but for a light rim, so that there are greys to normalise.
  const plainGreys = Uint8Array.from({ length: SIDE ** 2 }, (_, at) => (at < SIDE ? 200 : 40));
  for (const [file, data] of [
    [path, greys],
    [plainPath, plainGreys],
  ] as const)
    await sharp(data, { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(file);
  const maker = (method: string, heat: (at: number) => number): MapMaker => ({
    method,
    open: async (of) => {
      const reader = await openPictureReader(of);
      const mapper: Mapper = {
        explain: (shown) =>
          Promise.all(
            shown.map(async (film) => ({
              heatMap: {
                width: SIDE,
                height: SIDE,
                values: Float32Array.from({ length: SIDE ** 2 }, (_, at) => heat(at)),
              },
              probabilities: (await reader.probabilities(await reader.pictureOf(film)))[0]!,
            })),
          ),
        close: () => reader.close(),
      };
      return mapper;
    },
  });
  const makers = [maker("read", (at) => +isCorner(at)), maker("rest", (at) => +!isCorner(at))];
  const { methods, centre } = await faithfulnessOf(
    { model, metadata: readMetadata(model.metadata, "it") },
    [{ path, patient: "file:1", other: plainPath }],
    makers,
    { class: "PNEUMONIA", rounds: 0 },
  );
  const [read, rest] = methods.map(({ metrics }) => metrics);
  for (const key of ["deletion", "insertion", "exchange"])
    for (const control of ["OverShuffled", "OverCentre"]) {
      expect(read![`${key}${control}`]!.value, key).toBeGreaterThan(0.05);
      expect(rest![`${key}${control}`]!.value, key).toBeLessThan(-0.02);
    }
  // All is gone after a quarter of the pixels; the middle takes some of it each step.
  expect(methods[0]!.curves.map.deletion[4]).toBeLessThan(centre.deletion[4]! - 0.1);
});

it("a third and two thirds of the layers are whole ones, and none is tried twice", () => {
  expect(levelsOf(50)).toEqual([1, 17, 34, 50]);
  expect(levelsOf(2)).toEqual([1, 2]);
  expect(levelsOf(0)).toEqual([]);
});
