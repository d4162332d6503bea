/** The table of pretrained backbones by name. */
import type { BackboneEntry } from "../backbone.ts";
import { entryNamed } from "../registry.ts";
import { CONVNEXT_TINY } from "./convnext.ts";
import { DENSENET_121 } from "./densenet.ts";
import { EFFICIENTNET_LITE } from "./efficientnet-lite.ts";
import { INCEPTION_V3 } from "./inception-v3.ts";
import { MOBILENET_V2 } from "./mobilenet-v2.ts";
import { RESNET } from "./resnet.ts";
import { VGG } from "./vgg.ts";
import { VIT } from "./vit.ts";
import { XCEPTION } from "./xception.ts";

export const BACKBONES: readonly BackboneEntry[] = [
  ...EFFICIENTNET_LITE,
  MOBILENET_V2,
  ...RESNET,
  DENSENET_121,
  INCEPTION_V3,
  XCEPTION,
  ...VGG,
  CONVNEXT_TINY,
  ...VIT,
];

/** The entry of that name. Throws `unknown-model` with the nearest name and the list. */
export function backboneEntry(name: string): BackboneEntry {
  return entryNamed(name, BACKBONES);
}
