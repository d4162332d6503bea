/**
 * What a weight file holds, whatever its format: tensors by the names and in the layouts of whoever
 * wrote it. fit-weights.ts brings them to the names and layouts of a graph.
 */
import type { Tensor } from "../../onnx/index.ts";

/**
 * - "torch": the keys of a state dict, `LAYER.weight`, `LAYER.running_mean`, ...; dense [out, in].
 *   The names of our own graphs (`LAYER.scale`, `LAYER.mean`, ...) are taken as well.
 * - "keras": `LAYER/PART`, with Keras' name of the layer and of the variable (`kernel`, `bias`,
 *   `gamma`, `beta`, `moving_mean`, `moving_variance`, `depthwise_kernel`, `pointwise_kernel`):
 *   convolutions [h, w, in, out], depthwise ones [h, w, in, multiplier], dense [in, out].
 */
export type WeightConvention = "torch" | "keras";

export interface NamedTensors {
  /** The file, for messages. */
  readonly source: string;
  readonly convention: WeightConvention;
  /**
   * In the file's own order. Of a Keras file that is the order of its layers, which is all that
   * says which is which where the names are numbered by the process that made them.
   */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What the file itself calls them, where they were renamed. */
  readonly originals?: ReadonlyMap<string, string>;
}

/** How files of one convention name and lay out what our graphs call otherwise. */
export interface Naming {
  /** What the file may call a parameter, the likeliest first. */
  names(parameter: string): readonly string[];
  /** Whether a tensor of the file is no parameter, so that it may be left over. */
  isIgnored(name: string): boolean;
  /** The file's tensor in ONNX layout; of another rank or size it is returned as it is. */
  layOut(found: Tensor, parameter: string): Tensor;
}
