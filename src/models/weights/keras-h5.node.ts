/**
 * Keras' HDF5 files. A legacy `.h5` lists its layers in an attribute, each with a list of its
 * weights; a `.weights.h5` holds a group per layer, named by class and number, whose variables are
 * numbered. Sources: keras.src.legacy.saving.legacy_h5_format, keras.src.saving.saving_lib.
 */
import { readFile } from "node:fs/promises";
import type { Tensor } from "../../onnx/index.ts";
import { type Hdf5Group, readHdf5 } from "./hdf5.node.ts";
import { partsOf } from "./keras-parts.ts";
import type { NamedTensors } from "./named-tensors.ts";

/** The tensors of a `.h5` or `.weights.h5` file. Throws `weights-malformed` naming the place. */
export async function readKerasH5(path: string): Promise<NamedTensors> {
  return kerasTensors(await readFile(path), path);
}

/** Those of its bytes; `source` is named in messages. */
export async function kerasTensors(bytes: Uint8Array, source: string): Promise<NamedTensors> {
  const tensors = await readHdf5(bytes, source, (root) => {
    const found = new Map<string, Tensor>();
    // `model.save("x.h5")` writes the weights beside the optimizer's.
    const legacy = root.texts("layer_names") ? root : root.group("model_weights");
    const layers = legacy ? legacyLayers(legacy) : numberedLayers(root);
    for (const { group, name, kind, variables } of layers) {
      const values = variables.map((variable) => group.tensor(variable));
      const ranks = values.map(({ dims }) => dims.length);
      partsOf({ name, kind, variables, ranks }).forEach((part, index) => {
        const key = `${name}/${part}`;
        if (found.has(key)) group.fail(`there are two tensors "${key}"`);
        found.set(key, values[index]!);
      });
    }
    if (found.size === 0) root.fail("it holds no layers");
    return found;
  });
  return { source, convention: "keras", tensors };
}

interface FileLayer {
  readonly group: Hdf5Group;
  readonly name: string;
  /** Keras' class in snake case, where the file says it. */
  readonly kind?: string;
  readonly variables: readonly string[];
}

function legacyLayers(root: Hdf5Group): FileLayer[] {
  const names = root.texts("layer_names") ?? root.fail('it has no attribute "layer_names"');
  return names.flatMap((name): FileLayer[] => {
    const group = root.group(name) ?? root.fail(`the layer "${name}" is missing`);
    const variables = group.texts("weight_names") ?? group.fail('it has no "weight_names"');
    if (variables.length <= MOST_VARIABLES) return [{ group, name, variables }];
    // A model inside the model is one layer here, whose weights are named by its own layers.
    const inner = new Map<string, string[]>();
    for (const variable of variables) {
      const layer = variable.split("/").slice(-2, -1).join() || name;
      inner.set(layer, [...(inner.get(layer) ?? []), variable]);
    }
    return [...inner].map(([innerName, its]) => ({ group, name: innerName, variables: its }));
  });
}

/** No layer of ours has more: scale, bias, mean and variance. */
const MOST_VARIABLES = 4;

/** Groups that are no layers of the network. */
const OTHERS = /^(optimizer|seed_generator|loss|metrics|_?compile)/;

function numberedLayers(group: Hdf5Group, name = "", depth = 0): FileLayer[] {
  if (depth > DEEPEST) return group.fail("groups are nested too deep");
  const vars = group.group("vars");
  const variables = vars?.names() ?? [];
  const own: FileLayer[] =
    vars && variables.length > 0
      ? [{ group: vars, name: nameOf(vars) ?? name, kind: name.replace(/_\d+$/, ""), variables }]
      : [];
  const inner = group
    .names()
    .filter((member) => member !== "vars" && !OTHERS.test(member))
    .flatMap((member) => {
      const child = group.group(member);
      return child ? numberedLayers(child, member, depth + 1) : [];
    });
  return [...own, ...inner];
}

const DEEPEST = 32;

/** Keras names a layer on its variables, in files that it wrote since 3.8 or so. */
const nameOf = (vars: Hdf5Group): string | undefined => vars.texts("name")?.[0];
