/** What is measured of one film by one method. */
import {
  type Explained,
  enlargedHeat,
  type HeatMap,
  type PictureReader,
} from "../../classifier/index.node.ts";
import type { Fit, GreyImage } from "../../images/index.ts";
import { type RandomStream, randomStream } from "../../random.ts";
import {
  areaUnder,
  blurredPicture,
  centreMap,
  fallingOrder,
  flatPicture,
  probabilitiesAlong,
} from "./perturbation.ts";
import { matchedMaps, SHIFTS, shiftedFilm, shiftOf } from "./shift.ts";
import { rankCorrelation, scaledHeat, structuralSimilarity } from "./similarity.ts";

/** What makes heat maps of films for one class: an `Explainer`, or anything else that is to be tried. */
export interface Mapper {
  explain(films: readonly GreyImage[]): Promise<Pick<Explained, "heatMap" | "probabilities">[]>;
  close(): Promise<void>;
}

/** Probabilities of the class as pixels go, by step. */
export interface Curves {
  readonly deletion: readonly number[];
  readonly insertion: readonly number[];
  /** Null where no film is called otherwise. */
  readonly exchange: readonly number[] | null;
}

/** A film and its picture. */
export interface SeenFilm {
  readonly film: GreyImage;
  readonly picture: Float32Array;
  /** Of a film that is called otherwise; null where there is none. */
  readonly other: Float32Array | null;
  /** Place of the class among the labels. */
  readonly column: number;
  /** Names the film's chance together with the seed. */
  readonly key: string;
  readonly seed: number;
}

/** The curves of a map of the picture's size. */
export async function curvesOf(
  reader: PictureReader,
  values: Float32Array,
  { picture, other, column }: SeenFilm,
  random: RandomStream,
): Promise<Curves> {
  const order = fallingOrder(values, random);
  const blurred = blurredPicture(picture, reader.size);
  const along = (from: Float32Array, to: Float32Array) =>
    probabilitiesAlong(reader, { from, to, order, column });
  return {
    deletion: await along(picture, flatPicture(picture)),
    insertion: await along(blurred, picture),
    exchange: other && (await along(picture, other)),
  };
}

/** Those of pixels from the middle outwards. */
export const centreCurves = (reader: PictureReader, seen: SeenFilm): Promise<Curves> =>
  curvesOf(reader, centreMap(reader.size), seen, chanceOf(seen, "centre"));

export interface FilmRecord {
  readonly curves: { readonly map: Curves; readonly shuffled: Curves };
  /** By key; of a map of a single value nothing is known of what it is like. */
  readonly values: Readonly<Record<string, number>>;
}

export interface RecordOptions {
  readonly reader: PictureReader;
  readonly fit: Fit;
  /** Of the model as it is. */
  readonly own: Mapper;
  /** Of the model with its upper layers shuffled, by how many these are. */
  readonly shuffled: ReadonlyMap<number, Mapper>;
  readonly centre: Curves;
}

/** Curves against both controls, likeness to maps of shuffled weights and of the film shifted. */
export async function filmRecord(seen: SeenFilm, options: RecordOptions): Promise<FilmRecord> {
  const { reader, own, centre } = options;
  const { film, column } = seen;
  const shifts = SHIFTS.map((shift) => shiftOf(film, reader.size, options.fit, shift));
  const [first, ...moved] = await own.explain([
    film,
    ...shifts.map((shift) => shiftedFilm(film, shift)),
  ]);
  const { heatMap, probabilities } = first!;
  const large = enlargedHeat(heatMap, reader.size);
  const map = await curvesOf(reader, large, seen, chanceOf(seen, "ties"));
  const other = enlargedHeat(shuffledCells(heatMap, chanceOf(seen, "cells")), reader.size);
  const shuffled = await curvesOf(reader, other, seen, chanceOf(seen, "ties"));
  const likeness = large.every((value) => value === large[0])
    ? {}
    : {
        ...(await forgotten(seen, large, options)),
        shiftRank: meanOf(
          moved.map((found, index) => {
            const place = { film, size: reader.size, fit: options.fit, shift: shifts[index]! };
            return rankCorrelation(...matchedMaps(heatMap, found.heatMap, place)) ?? 0;
          }),
        ),
      };
  const changes = moved.map((found) =>
    Math.abs(found.probabilities[column]! - probabilities[column]!),
  );
  return {
    curves: { map, shuffled },
    values: { ...areas(map, shuffled, centre), ...likeness, shiftChange: meanOf(changes) },
  };
}

/** Areas under the curves, and by how much they are better than those of the controls. */
function areas(map: Curves, shuffled: Curves, centre: Curves): Record<string, number> {
  const found: Record<string, number> = {};
  for (const key of ["deletion", "insertion", "exchange"] as const) {
    const [own, ...controls] = [map, shuffled, centre].map((of) => of[key] && areaUnder(of[key]));
    if (typeof own !== "number") continue;
    // Only insertion is the better the larger the area is.
    const better = key === "insertion" ? 1 : -1;
    found[key] = own;
    ["OverShuffled", "OverCentre"].forEach((control, index) => {
      found[`${key}${control}`] = better * (own - controls[index]!);
    });
  }
  return found;
}

/** How alike the map is to those of shuffled weights; a map of a single value is like none. */
async function forgotten(
  { film }: SeenFilm,
  own: Float32Array,
  { reader, shuffled }: RecordOptions,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [layers, mapper] of shuffled) {
    const [explained] = await mapper.explain([film]);
    const other = enlargedHeat(explained!.heatMap, reader.size);
    found[`rank:${layers}`] = rankCorrelation(own, other) ?? 0;
    found[`ssim:${layers}`] = structuralSimilarity(scaledHeat(own), scaledHeat(other), reader.size);
  }
  return found;
}

/** A control as coarse as the map: its own values at places drawn by chance. */
function shuffledCells(map: HeatMap, random: RandomStream): HeatMap {
  return { ...map, values: Float32Array.from(random.shuffled([...map.values])) };
}

const chanceOf = ({ seed, key }: SeenFilm, what: string): RandomStream =>
  randomStream(seed, "faithfulness", key, what);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
