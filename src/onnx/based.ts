/** Messages made from messages: what we do not model stays as it was. */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

/**
 * A message with these fields, and all others as in `source`; absent empty fields stay absent, and
 * those named in `without` go.
 */
export function based<Schema extends DescMessage>(
  schema: Schema,
  source: MessageShape<Schema> | undefined,
  fields: Partial<MessageShape<Schema>>,
  without: readonly string[] = [],
): MessageShape<Schema> {
  const message = Object.assign(create(schema), source ?? {});
  for (const [key, value] of Object.entries(fields)) {
    const current = Reflect.get(message, key);
    const isEmpty = Array.isArray(value) && value.length === 0;
    if (current !== value && !(isEmpty && !source)) Reflect.set(message, key, value);
  }
  for (const key of without) Reflect.deleteProperty(message, key);
  return message;
}

/**
 * A list of the file where it still says what is wanted, so that its order, its repetitions and
 * what else its entries hold survive; otherwise one entry for each wanted pair, old ones kept.
 */
export function listed<Entry, Item>(
  source: readonly Entry[] | undefined,
  wanted: ReadonlyMap<string, Item>,
  read: (entry: Entry) => readonly [key: string, item: Item],
  make: (key: string, item: Item) => Entry,
): Entry[] {
  const entries = source ?? [];
  const known = new Map(
    entries.map((entry) => {
      const [key, item] = read(entry);
      return [key, { entry, item }];
    }),
  );
  const isSame =
    known.size === wanted.size && [...wanted].every(([key, item]) => known.get(key)?.item === item);
  if (isSame) return [...entries];
  return [...wanted].map(([key, item]) => {
    const old = known.get(key);
    return old && old.item === item ? old.entry : make(key, item);
  });
}
