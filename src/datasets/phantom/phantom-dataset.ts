/**
 * A folder of synthetic films, laid out as the public data set is: CLASS/FILE, several films of one
 * patient, the patient and the cause in the file's name (`synthetic_person0012_bacteria_2.png`).
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { HilumError } from "../../errors.ts";
import type { GreyImage } from "../../images/index.ts";
import { randomStream } from "../../random.ts";
import type { OpacityKind } from "./opacity.ts";
import { drawPhantom, type PhantomLabel, phantomKind } from "./phantom.ts";

export interface PhantomDatasetOptions {
  /** Films in all. */
  readonly count: number;
  /** Pixels of a film's longer side. */
  readonly size?: number | undefined;
  readonly seed?: number | undefined;
  /** Share of patients with pneumonia. */
  readonly positiveShare?: number | undefined;
  /** With names and shares, for example `{ train: 0.8, test: 0.2 }`, SPLIT/CLASS/FILE is written. */
  readonly splits?: Readonly<Record<string, number>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

export interface PlannedPhantom {
  readonly index: number;
  readonly patient: number;
  readonly label: PhantomLabel;
  readonly kind: OpacityKind | null;
  /** Below the folder, with "/". */
  readonly key: string;
}

/** What the file's own metadata says of every synthetic film. */
export const SYNTHETIC_NOTICE =
  "SYNTHETIC: drawn by Hilum's chest phantom; shows no patient. Not for clinical use.";

/** The causes that Kermany's file names tell: nets are viral, the rest bacterial. */
const CAUSES: Readonly<Record<OpacityKind, string>> = {
  lobar: "bacteria",
  patchy: "bacteria",
  interstitial: "virus",
};

/** Which films a folder will hold: 1 to 3 a patient, patients never in two splits. */
export function planPhantoms({
  count,
  seed = 1,
  positiveShare = 0.5,
  splits,
}: PhantomDatasetOptions): PlannedPhantom[] {
  if (!(Number.isInteger(count) && count > 0))
    throw new HilumError(
      "invalid-option",
      `A set of ${count} films cannot be made. Give 1 or more.`,
    );
  const random = randomStream(seed, "phantom", "plan");
  const plan: PlannedPhantom[] = [];
  // Bresenham-like: every prefix of the plan holds the share of positive films to within one patient.
  let owed = 0;
  for (let patient = 1; plan.length < count; patient++) {
    const films = Math.min(1 + random.integer(3), count - plan.length);
    owed += films * positiveShare;
    const isPositive = owed >= films / 2 && positiveShare > 0;
    if (isPositive) owed -= films;
    const label = isPositive ? "PNEUMONIA" : "NORMAL";
    const kind = isPositive ? phantomKind(seed, patient) : null;
    const split = splits ? `${splitAt(splits, (plan.length + 0.5) / count)}/` : "";
    for (let film = 1; film <= films; film++) {
      const extension = random.chance(0.5) ? "png" : "jpeg";
      const cause = kind ? `_${CAUSES[kind]}` : "";
      const person = `synthetic_person${String(patient).padStart(4, "0")}`;
      const key = `${split}${label}/${person}${cause}_${film}.${extension}`;
      plan.push({ index: plan.length, patient, label, kind, key });
    }
  }
  return plan;
}

/** The split in which a position of 0..1 falls when the shares are laid end to end. */
function splitAt(splits: Readonly<Record<string, number>>, position: number): string {
  const names = Object.keys(splits);
  const total = names.reduce((sum, name) => sum + splits[name]!, 0);
  let end = 0;
  for (const name of names) {
    end += splits[name]! / total;
    if (position < end) return name;
  }
  return names.at(-1)!;
}

/**
 * Writes synthetic films below `folder` and returns their plan. Equal options write equal files.
 * Throws `interrupted` when the signal aborts.
 */
export async function writePhantomDataset(
  folder: string,
  options: PhantomDatasetOptions,
): Promise<PlannedPhantom[]> {
  const { size = 160, seed = 1, signal, onProgress } = options;
  const plan = planPhantoms(options);
  for (const below of new Set(plan.map(({ key }) => key.slice(0, key.lastIndexOf("/")))))
    await mkdir(join(folder, below), { recursive: true });
  let writing: Promise<void>[] = [];
  for (const { index, patient, label, kind, key } of plan) {
    if (signal?.aborted)
      throw new HilumError("interrupted", `Stopped after ${index} of ${plan.length} films.`);
    const film = drawPhantom({ seed, index, patient, label, size, kind: kind ?? undefined });
    writing.push(writeFilm(join(folder, key), film));
    if (writing.length === 8 || index === plan.length - 1) {
      await Promise.all(writing);
      writing = [];
      onProgress?.({ done: index + 1, total: plan.length });
    }
  }
  return plan;
}

async function writeFilm(path: string, { width, height, pixels }: GreyImage): Promise<void> {
  const image = sharp(pixels, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .withExif({ IFD0: { ImageDescription: SYNTHETIC_NOTICE, Software: "hilum" } });
  const encoded = path.endsWith(".png")
    ? image.png({ compressionLevel: 3 })
    : image.jpeg({ quality: 92 });
  await writeFile(path, await encoded.toBuffer());
}
