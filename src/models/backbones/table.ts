/** The table of pretrained backbones by name. */
import type { BackboneEntry } from "../backbone.ts";
import { entryNamed } from "../registry.ts";
import { EFFICIENTNET_LITE } from "./efficientnet-lite.ts";

export const BACKBONES: readonly BackboneEntry[] = [...EFFICIENTNET_LITE];

/** The entry of that name. Throws `unknown-model` with the nearest name and the list. */
export function backboneEntry(name: string): BackboneEntry {
  return entryNamed(name, BACKBONES);
}
