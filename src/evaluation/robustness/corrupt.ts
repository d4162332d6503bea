/** Films made worse: the graphs of the corruptions, opened once, and JPEG. */
import type { GreyImage } from "../../images/index.ts";
import { openSession, type Session } from "../../onnx/index.node.ts";
import { float32, type Graph, graphBuilder, operators as op } from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";
import {
  type Feeds,
  type FilmSize,
  GRAPH_CORRUPTIONS,
  type GraphCorruption,
  JPEG_CORRUPTION,
} from "./corruptions.ts";
import { boxMatrix } from "./matrices.ts";

/** The shorter side for which MedMNIST-C's blur, resolution and JPEG are defined. */
export const WORKING_SIZE = 224;

/** What each graph input is; chance and masks are as large as the film. */
const INPUT_SHAPES: Readonly<Record<string, readonly (number | string)[]>> = {
  noise: [1, "H", "W"],
  mask: [1, "H", "W"],
  grid: [1, "H", "W", 2],
  rows: ["H", "H"],
  columns: ["W", "W"],
  mean: [1],
};

/** `images` uint8 `[1, H, W]` to `corrupted` of the same kind. */
export function corruptionGraph({ apply }: GraphCorruption, amount: number): Graph {
  const builder = graphBuilder();
  const greys = op.cast(builder.input("images", "uint8", [1, "H", "W"]), "float32");
  const feed = (name: string) =>
    builder.find(name) ?? builder.input(name, "float32", INPUT_SHAPES[name]!);
  const cut = op.clip(op.floor(apply(greys, feed, amount)), 0, 255);
  builder.output(op.cast(cut, "uint8"), "corrupted");
  return builder.build("corruption");
}

export interface Corrupter {
  /** The film at its working size, untouched. */
  prepare(film: GreyImage): Promise<GreyImage>;
  /** A prepared film; `severity` from 1 to 5. `key` names its chance together with the seed. */
  corrupt(film: GreyImage, name: string, severity: number, key: string): Promise<GreyImage>;
  close(): Promise<void>;
}

/** Sessions are opened when they are first needed. Chance is drawn from the seed and the film's key. */
export function openCorrupter({ seed = 0 } = {}): Corrupter {
  const sessions = new Map<string, Promise<Session>>();
  const session = (name: string, graph: () => Graph): Promise<Session> => {
    const open = sessions.get(name) ?? openSession(graph(), { threads: 1 });
    sessions.set(name, open);
    return open;
  };
  const fixed = new Map<string, Feeds>();
  let fixedFor = "";
  /** Those of the last size: an archive's films are of one, or each of its own. */
  const fixedFeeds = (
    entry: GraphCorruption,
    severity: number,
    { width, height }: FilmSize,
  ): Feeds => {
    const size = `${width}x${height}`;
    if (size !== fixedFor) fixed.clear();
    fixedFor = size;
    const key = `${entry.name} ${severity}`;
    const feeds =
      fixed.get(key) ?? entry.fixed?.(entry.severities[severity - 1]!, { width, height }) ?? {};
    fixed.set(key, feeds);
    return feeds;
  };
  const like = (
    film: GreyImage,
    pixels: Uint8Array,
    size = film as Pick<GreyImage, "width" | "height">,
  ): GreyImage => ({
    ...film,
    width: size.width,
    height: size.height,
    pixels,
  });
  const imagesOf = ({ width, height, pixels }: GreyImage) =>
    ({ type: "uint8", dims: [1, height, width], data: pixels }) as const;
  return {
    async prepare(film) {
      const scale = WORKING_SIZE / Math.min(film.width, film.height);
      if (scale >= 1) return film;
      const [width, height] = [Math.round(film.width * scale), Math.round(film.height * scale)];
      const running = await session("resize", resizeGraph);
      const columns = boxMatrix(film.width, width);
      const { resized } = await running.run({
        images: imagesOf(film),
        rows: float32([height, film.height], boxMatrix(film.height, height)),
        columns: float32([width, film.width], columns),
      });
      return like(film, resized!.data as Uint8Array, { width, height });
    },
    async corrupt(film, name, severity, key) {
      if (name === JPEG_CORRUPTION.name)
        return like(film, await throughJpeg(film, JPEG_CORRUPTION.severities[severity - 1]!));
      const entry = GRAPH_CORRUPTIONS.find((corruption) => corruption.name === name)!;
      const amount = entry.severities[severity - 1]!;
      const running = await session(`${name} ${severity}`, () => corruptionGraph(entry, amount));
      const random = randomStream(seed, name, severity, key);
      const { corrupted } = await running.run({
        images: imagesOf(film),
        ...fixedFeeds(entry, severity, film),
        ...entry.drawn?.(amount, film, random, film.pixels),
      });
      return like(film, corrupted!.data as Uint8Array);
    },
    async close() {
      for (const open of sessions.values()) await (await open).close();
    },
  };
}

function resizeGraph(): Graph {
  const builder = graphBuilder();
  const greys = op.cast(builder.input("images", "uint8", [1, "H", "W"]), "float32");
  const rows = builder.input("rows", "float32", ["h", "H"]);
  const columns = op.transpose(builder.input("columns", "float32", ["w", "W"]), [1, 0]);
  const resized = op.matMul(op.matMul(rows, greys), columns);
  const rounded = op.floor(op.add(resized, builder.scalar(0.5)));
  builder.output(op.cast(op.clip(rounded, 0, 255), "uint8"), "resized");
  return builder.build("resize");
}

async function throughJpeg(
  { width, height, pixels }: GreyImage,
  quality: number,
): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const raw = { width, height, channels: 1 } as const;
  const file = await sharp(pixels, { raw }).jpeg({ quality }).toBuffer();
  const decoded = await sharp(file).toColourspace("b-w").raw().toBuffer();
  return new Uint8Array(decoded);
}
