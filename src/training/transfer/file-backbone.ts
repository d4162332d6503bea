/** The backbone in an ONNX file: another tool's, or what a classifier of Hilum's has learned. */
import { backboneOf, isOurs } from "../../classifier/index.ts";
import { HilumError } from "../../errors.ts";
import { cutBackbone, type Preprocessing } from "../../models/index.ts";
import type { Model } from "../../onnx/index.ts";
import type { Settings, TrainOptions } from "../options.ts";
import type { PretrainedBackbone } from "./network.ts";
import { PIXELS_OF, PUBLISHERS } from "./preprocessing.ts";

export interface FileBackbone {
  /** Side of the images: the one asked for, or the file's own. */
  readonly size: number;
  /** What is taken where nothing is said. */
  readonly defaults: Partial<Settings>;
  backbone(settings: Settings): PretrainedBackbone;
}

/** Throws `invalid-option`, and what cutting the backbone from the file throws. */
export function fileBackbone(file: Model, options: TrainOptions): FileBackbone {
  const { model, layer, defaults, preprocessing } = isOurs(file)
    ? ours(file, options)
    : foreign(file);
  const cut = (featureLayer: Settings["featureLayer"] | undefined, size?: number) =>
    cutBackbone(model, { featureLayer: featureLayer ?? layer, size });
  return {
    size: cut(options.featureLayer, options.size).size,
    defaults,
    backbone: (settings) => ({
      graph: cut(settings.featureLayer, settings.size).graph,
      preprocessing: preprocessing(settings),
    }),
  };
}

interface Source {
  readonly model: Model;
  /** Where it is cut; found by its form where this is undefined. */
  readonly layer?: string | undefined;
  readonly defaults: Partial<Settings>;
  preprocessing(settings: Settings): Preprocessing;
}

const foreign = (model: Model): Source => ({
  model,
  defaults: {},
  preprocessing: ({ preprocessing }) => PUBLISHERS[preprocessing ?? "torch"],
});

/** A classifier that Hilum trained: it says itself how films become what its network reads. */
function ours(file: Model, { preprocessing }: TrainOptions): Source {
  if (preprocessing !== undefined && preprocessing !== null)
    throw new HilumError(
      "invalid-option",
      "Option preprocessing does not go here: Hilum trained this model, which says itself how it reads films.",
      { option: "preprocessing", value: preprocessing },
    );
  const { model, input } = backboneOf(file);
  const { fit, normalization, window } = input;
  const { scale, offset } = PIXELS_OF[normalization];
  return {
    model,
    layer: model.graph.outputs[0]!.name,
    defaults: { fit, normalization, window },
    // Pixels become what its network reads in just this way, so that the stem stays as it is.
    preprocessing: () => ({
      order: "rgb",
      mean: [offset, offset, offset],
      deviation: [scale, scale, scale],
    }),
  };
}
