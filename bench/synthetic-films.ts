/** Any number of synthetic films, quickly: a few drawn ones, each written many times as files that differ. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writePhantomDataset } from "../src/datasets/index.ts";

const DRAWN = 200;
const FILMS_PER_PATIENT = 2;

/** Writes `count` JPEG films of `size` pixels below `folder`, by class, two of each patient. */
export async function writeManyFilms(
  folder: string,
  { count, size }: { readonly count: number; readonly size: number },
): Promise<void> {
  const drawn = join(folder, "drawn");
  const plan = await writePhantomDataset(drawn, { count: DRAWN, size });
  const films = plan.filter(({ key }) => key.endsWith(".jpeg"));
  const bytes = films.map(({ key }) => readFileSync(join(drawn, key)));
  for (const { label } of films) mkdirSync(join(folder, "films", label), { recursive: true });
  for (let index = 0; index < count; index++) {
    const patient = Math.floor(index / FILMS_PER_PATIENT);
    const at = patient % films.length;
    const name = `synthetic_person${patient}_${index % FILMS_PER_PATIENT}.jpeg`;
    const file = join(folder, "films", films[at]!.label, name);
    writeFileSync(file, withComment(bytes[at]!, `film ${index}`));
  }
}

/** The same picture in another file. Source: ITU-T T.81, section B.2.4.5, a comment behind the start. */
function withComment(jpeg: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment);
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}
