/** The words for splits in folders and manifests, and the three that Hilum uses for them. */

const SPLIT_NAMES: ReadonlyMap<string, string> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["val", "val"],
  ["valid", "val"],
  ["validation", "val"],
  ["dev", "val"],
  ["test", "test"],
  ["testing", "test"],
]);

/** "train", "val" or "test", or null where the name means none of them. */
export function splitNamed(name: string | undefined): string | null {
  return SPLIT_NAMES.get(name?.trim().toLowerCase() ?? "") ?? null;
}
