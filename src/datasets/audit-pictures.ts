/** Small pictures of the films that an audit's page shows. */
import { readImage } from "../images/index.ts";
import { randomStream } from "../random.ts";
import type { Audit } from "./audit.ts";
import { gravity } from "./audit-findings.ts";
import { contactSheet, type SheetFilm } from "./contact-sheet.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { type FilmPicture, filmPicture } from "./film-grid.ts";
import { labelsOf } from "./task.ts";

export interface AuditPictures {
  readonly byLabel: readonly { readonly label: string; readonly films: readonly FilmPicture[] }[];
  /** Groups of films that look the same, the gravest first. */
  readonly nearDuplicates: readonly (readonly FilmPicture[])[];
}

export interface PictureOptions {
  readonly seed?: number | undefined;
  readonly filmsPerLabel?: number | undefined;
  /** Groups of near duplicates. */
  readonly groups?: number | undefined;
}

const GROUP_FILMS = 4;

/** Reads the films anew that are to be shown: some of each label, drawn by seed, and near duplicates. */
export async function auditPictures(
  dataset: Dataset,
  audit: Audit,
  { seed = 1, filmsPerLabel = 12, groups = 12 }: PictureOptions = {},
): Promise<AuditPictures> {
  const byKey = new Map(dataset.samples.map((sample) => [sample.key, sample]));
  const unreadable = new Set(audit.unreadable.map(({ key }) => key));
  const byLabel: AuditPictures["byLabel"][number][] = [];
  for (const { label, samples } of drawnByLabel(dataset, seed, unreadable)) {
    const films = await Promise.all(
      samples.slice(0, filmsPerLabel).map((sample) => filmPicture(sample, "")),
    );
    byLabel.push({ label, films });
  }
  const nearDuplicates: FilmPicture[][] = [];
  for (const { keys } of audit.nearDuplicates
    .toSorted((a, b) => gravity(b) - gravity(a))
    .slice(0, groups)) {
    const samples = keys.slice(0, GROUP_FILMS).map((key) => byKey.get(key)!);
    const captionOf = (sample: Sample) =>
      [labelsShown(sample, dataset), sample.split].filter(Boolean).join(" · ");
    nearDuplicates.push(
      await Promise.all(samples.map((sample) => filmPicture(sample, captionOf(sample)))),
    );
  }
  return { byLabel, nearDuplicates };
}

/** A PNG with a row of films for each label, drawn by seed. */
export async function auditSheet(dataset: Dataset, seed = 1, columns = 8): Promise<Uint8Array> {
  const blank: SheetFilm = { width: 1, height: 1, pixels: Uint8Array.of(20) };
  const cells = drawnByLabel(dataset, seed).flatMap(({ label, samples }) =>
    Array.from({ length: columns }, async (_, column): Promise<SheetFilm> => {
      const sample = samples[column];
      const film = sample && (await readImage(sample.path, { name: sample.key }).catch(() => null));
      return { ...(film ?? blank), caption: column === 0 ? label : "" };
    }),
  );
  return contactSheet(await Promise.all(cells), { columns, cellSize: 150 });
}

function drawnByLabel(dataset: Dataset, seed: number, unreadable: ReadonlySet<string> = new Set()) {
  return labelsOf(dataset.task).map((label, index) => {
    const samples = dataset.samples.filter(
      ({ target, key }) => target[index] === 1 && !unreadable.has(key),
    );
    return { label, samples: randomStream(seed, "contact-sheet", label).shuffled(samples) };
  });
}

function labelsShown({ target }: Sample, { task }: Dataset): string {
  return labelsOf(task)
    .filter((_, index) => target[index] === 1)
    .join(", ");
}
