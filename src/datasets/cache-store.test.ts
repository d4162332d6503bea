import { hash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openPackStore, type PackStore } from "./cache-store.ts";

const root = mkdtempSync(join(tmpdir(), "hilum-store-"));
const BYTES = 8;
let folder = "";
let number = 0;
beforeEach(() => {
  folder = join(root, String(number++));
});
afterAll(() => rmSync(root, { recursive: true }));

const recordOf = (film: number) => ({
  digest: hash("sha256", `film ${film}`),
  bytes: Uint8Array.from({ length: BYTES }, (_, i) => film * 31 + i),
});
const range = (begin: number, beyond: number) =>
  Array.from({ length: beyond - begin }, (_, i) => begin + i);

async function opened(): Promise<PackStore> {
  const store = await openPackStore(folder, BYTES);
  await store.refresh();
  return store;
}

/** The films' bytes, undefined for those that are not there. */
function filmsOf(store: PackStore, films: readonly number[]): (number[] | undefined)[] {
  return films.map((film) => {
    const record = store.find(recordOf(film).digest);
    if (record === undefined) return undefined;
    const out = new Uint8Array(BYTES + 2);
    expect(store.readInto(record, out, 2)).toBe(true);
    expect(store.digestOf(record)).toBe(recordOf(film).digest);
    return [...out.subarray(2)];
  });
}
const bytesOf = (films: readonly number[]) => films.map((film) => [...recordOf(film).bytes]);

/** Packs of 1, 2, 3 ... films, 465 in all. */
async function writeMany(store: PackStore): Promise<void> {
  for (let count = 1, first = 0; count <= 30; first += count++)
    await store.add(range(first, first + count).map(recordOf));
}

/** Changes the first byte of a pack. */
function damage(name: string): void {
  const descriptor = openSync(join(folder, name), "r+");
  writeSync(descriptor, Uint8Array.of(255), 0, 1, 0);
  closeSync(descriptor);
}

describe("openPackStore", () => {
  it("finds each film of many packs of all lengths, as they are added and later", async () => {
    const store = await opened();
    await writeMany(store);
    expect(readdirSync(folder).length).toBe(30);
    expect(filmsOf(store, range(0, 465))).toEqual(bytesOf(range(0, 465)));
    expect(store.find(recordOf(465).digest)).toBeUndefined();
    store.close();
    const again = await opened();
    expect(filmsOf(again, range(0, 465))).toEqual(bytesOf(range(0, 465)));
    expect(again.find(recordOf(465).digest)).toBeUndefined();
    again.close();
  });

  it("takes up what another has added", async () => {
    const [one, other] = [await opened(), await opened()];
    await one.add(range(0, 5).map(recordOf));
    expect(filmsOf(other, [3])).toEqual([undefined]);
    await other.refresh();
    expect(filmsOf(other, [3])).toEqual(bytesOf([3]));
    one.close();
    other.close();
  });

  it("finds the films of a damaged pack in another one, and deletes it", async () => {
    const store = await opened();
    await store.add([7, 8, 9, 100].map(recordOf));
    const [first] = readdirSync(folder);
    await store.add([1, 2, 3].map(recordOf));
    await store.add([9, 8, 7, 101].map(recordOf));
    damage(first!);
    expect(filmsOf(store, [8, 7, 9, 2, 101])).toEqual(bytesOf([8, 7, 9, 2, 101]));
    expect(filmsOf(store, [100])).toEqual([undefined]);
    expect(readdirSync(folder)).not.toContain(first);
    await store.add([7, 8, 9, 100].map(recordOf));
    expect(filmsOf(store, [100, 7, 1])).toEqual(bytesOf([100, 7, 1]));
    store.close();
  });

  it("reads what is kept, and finds nothing any more", async () => {
    for (const digests of [true, false]) {
      const store = await opened();
      await writeMany(store);
      const wanted = [3, 17, 464];
      const records = Uint32Array.from(wanted, (film) => store.find(recordOf(film).digest)!);
      store.keep(records, { digests });
      expect(store.find(recordOf(3).digest)).toBeUndefined();
      for (const [place, film] of wanted.entries()) {
        const out = new Uint8Array(BYTES);
        expect(store.readInto(records[place]!, out, 0)).toBe(true);
        expect([...out]).toEqual([...recordOf(film).bytes]);
        expect(store.digestOf(records[place]!)).toBe(digests ? recordOf(film).digest : "");
      }
      store.close();
    }
  });
});
