/** Many texts as one run of bytes: of a short one an object would take several times its letters. */

export interface TextColumn {
  push(text: string): void;
  at(index: number): string;
  /** Byte order of two of the texts, which is code point order: below 0 where the first is less. */
  compare(a: number, b: number): number;
  /** Gives back what was taken in reserve. */
  trim(): void;
}

/** UTF-8 takes at most three bytes for each unit of a string. */
const MOST_BYTES = 3;

export function textColumn(): TextColumn {
  let count = 0;
  let bytes = Buffer.alloc(0);
  /** Where each text begins, and where the last one ends; nothing while all texts are empty. */
  let starts = new Uint32Array(0);
  const resize = (length: number, texts: number) => {
    const [before, places] = [bytes, starts];
    bytes = Buffer.alloc(length);
    before.copy(bytes, 0, 0, Math.min(length, before.length));
    starts = new Uint32Array(texts);
    starts.set(places.subarray(0, Math.min(texts, places.length)));
  };
  return {
    push(text) {
      const start = starts[count] ?? 0;
      if (text === "" && bytes.length === 0) {
        count++;
        return;
      }
      const length = Math.max(bytes.length, start + MOST_BYTES * text.length);
      if (length > bytes.length || count + 2 > starts.length)
        resize(grown(bytes.length, length), grown(starts.length, count + 2));
      count++;
      starts[count] = start + bytes.write(text, start);
    },
    at: (index) =>
      bytes.length === 0 ? "" : bytes.toString("utf8", starts[index], starts[index + 1]),
    compare: (a, b) => bytes.compare(bytes, starts[b], starts[b + 1], starts[a], starts[a + 1]),
    trim() {
      if (bytes.length > 0) resize(starts[count]!, count + 1);
    },
  };
}

/** By halves, that little is copied and little lies idle. */
const grown = (now: number, needed: number): number =>
  needed <= now ? now : Math.max(needed, Math.ceil(now * 1.5));
