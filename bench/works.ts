/** What is measured: networks by name with the size and the batch that the comparison fixes. */
import { HilumError } from "../src/errors.ts";
import {
  backboneEntry,
  layersOf,
  NETWORKS,
  type Network,
  networkEntry,
} from "../src/models/index.ts";
import { operators as op } from "../src/onnx/index.ts";

export interface Work {
  readonly name: string;
  readonly title: string;
  /** Side of the square grey input. */
  readonly size: number;
  readonly batch: number;
  network(seed: number): Network;
}

/** Works that the peers know too. */
export const WORKS: readonly Work[] = [
  {
    name: "cnn",
    title: "cnn 150x150, batch 32",
    size: 150,
    batch: 32,
    network: (seed) => networkEntry("cnn").build({ width: 1, depth: 1, seed }),
  },
  {
    name: "resnet18",
    title: "ResNet-18 224x224, batch 16",
    size: 224,
    batch: 16,
    network: (seed) => fromScratch("resnet18", seed),
  },
  {
    name: "mobilenetv2",
    title: "MobileNetV2 224x224, batch 16",
    size: 224,
    batch: 16,
    network: (seed) => fromScratch("mobilenet-v2", seed, { dropout: 0.2 }),
  },
];

/** The work of that name; the registry's networks count as works with their recipe's size and batch. */
export function workNamed(name: string): Work {
  const work = [...WORKS, ...registered()].find((candidate) => candidate.name === name);
  if (work) return work;
  const names = WORKS.map((candidate) => candidate.name);
  throw new HilumError(
    "invalid-option",
    `There is no work "${name}" to measure. There are: ${names.join(", ")}.`,
    { option: "work", value: name, allowed: names },
  );
}

/** A backbone on one grey channel under a head of its own. */
function fromScratch(name: string, seed: number, { dropout = 0 } = {}): Network {
  return (x, outputs) => {
    const pooled = op.flatten(
      op.globalAveragePool(backboneEntry(name).build({ seed }).features(x)),
    );
    const kept = dropout > 0 ? op.dropout(pooled, dropout) : pooled;
    return layersOf(seed).dense(kept, "head", outputs, { scale: 1 });
  };
}

function registered(): Work[] {
  return NETWORKS.map(({ name, title, recipe: { size, batch }, build }) => ({
    name,
    title: `${title} ${size}x${size}, batch ${batch}`,
    size,
    batch,
    network: (seed) => build({ width: 1, depth: 1, seed }),
  }));
}
