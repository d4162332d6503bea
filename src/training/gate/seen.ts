/** What the gate is fitted to and measured on: views of films, of other pictures, and of drawings. */
import { readdirSync } from "node:fs";
import { join, sep } from "node:path";
import type { Samples } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { readImage } from "../../images/index.ts";
import { drawnImages } from "./drawn.ts";
import { VIEWS, type View, type ViewFeatures, type ViewReader } from "./views.ts";

export interface Seen extends ViewFeatures {
  readonly view: View;
  /** The folder that an image came from; "films" of films. */
  readonly source: string;
  /** Of films; of others the image itself. */
  readonly patient: string;
}

export interface SeeingOptions {
  /** A folder of folders: one for each source of images that are no chest films. */
  readonly others: string;
  readonly seed: number;
  readonly onProgress?:
    | ((progress: { work: string; done: number; total: number }) => void)
    | undefined;
}

export interface FilmViewOptions extends Pick<SeeingOptions, "onProgress"> {
  /** What the films are for, as progress says it. */
  readonly work: string;
  readonly views?: readonly View[] | undefined;
}

/** Drawings of each kind. */
const DRAWN_EACH = 40;

/** Views of each film, by default every one. */
export async function filmViews(
  samples: Samples,
  reader: ViewReader,
  { onProgress, work, views = VIEWS }: FilmViewOptions,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const [index, { path, key, patient }] of [...samples].entries()) {
    const found = await reader.read(await readImage(path), views, key);
    for (const [at, features] of found.entries())
      seen.push({ ...features, view: views[at]!, source: "films", patient });
    onProgress?.({ work, done: index + 1, total: samples.length });
  }
  return seen;
}

/** Pictures of the folder and drawings of our own; what cannot be read is passed over. */
export async function otherViews(
  { others, seed, onProgress }: SeeingOptions,
  reader: ViewReader,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const views = ["plain", "varied"] as const;
  const look = async (image: Parameters<ViewReader["read"]>[0], source: string, key: string) => {
    const found = await reader.read(image, views, key);
    for (const [at, features] of found.entries())
      seen.push({ ...features, view: views[at]!, source, patient: key });
  };
  const files = readdirSync(others, { recursive: true })
    .map(String)
    .filter((name) => /\.(png|jpe?g)$/i.test(name) && name.includes(sep))
    .sort();
  if (files.length === 0)
    throw new HilumError(
      "dataset-empty",
      `${others} holds no folders of images. Give a folder with one folder for each source of images that are no films.`,
      { path: others },
    );
  for (const [index, file] of files.entries()) {
    const image = await readImage(join(others, file)).catch(() => undefined);
    if (image) await look(image, file.split(sep)[0]!, file);
    onProgress?.({ work: "other images", done: index + 1, total: files.length });
  }
  let index = 0;
  for (const { source, pixels } of drawnImages(DRAWN_EACH, reader.side, seed))
    await look({ width: reader.side, height: reader.side, pixels }, source, `drawn ${index++}`);
  return seen;
}
