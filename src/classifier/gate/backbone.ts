/**
 * What the gate looks at films with: the first blocks of a network that was trained on photographs.
 * They stay as their publisher made them, so that the gate hangs on no classifier's weights.
 */
import { removeDeadNodes } from "../../autodiff/index.ts";
import { HilumError } from "../../errors.ts";
import { backboneEntry, backboneGraph, greyStem, type NamedTensors } from "../../models/index.ts";
import type { Graph } from "../../onnx/index.ts";

export const GATE_BACKBONE = "efficientnet-lite0";
/** Side of the square that the gate squashes films to. */
export const GATE_SIZE = 128;
/** The blocks whose results are used, by the block that reads them: strides 8, 16 and 16. */
const READERS = [5, 8, 11] as const;
/** Grey levels of a deviation: a standardised film as the photographs that the weights know. */
const SCALE = { scale: 60, offset: 127 } as const;

/**
 * The graph from standardised films `x` `[N, 1, S, S]` to the maps of three depths: `[N, 40, S/8, S/8]`,
 * `[N, 80, S/16, S/16]` and `[N, 112, S/16, S/16]`. Throws `weights-mismatch`.
 */
export function gateBackbone(weights: NamedTensors): Graph {
  const entry = backboneEntry(GATE_BACKBONE);
  const whole = backboneGraph({ ...entry, size: GATE_SIZE }, { weights, withTop: false });
  const outputs = READERS.map((block) => {
    const reader = whole.nodes.find(({ inputs }) =>
      inputs.includes(`_blocks.${block}._expand_conv.weight`),
    );
    const info = reader && whole.values.get(reader.inputs[0]!);
    if (!info) throw new HilumError("unknown-layer", `${GATE_BACKBONE} has no block ${block}.`);
    return info;
  });
  return greyStem(removeDeadNodes({ ...whole, outputs }), entry.preprocessing, SCALE);
}
