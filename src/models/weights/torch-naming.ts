/** Names of PyTorch's state dicts, and of our own graphs, whose layouts are the same. */
import type { Naming } from "./named-tensors.ts";

const PARTS: Readonly<Record<string, string>> = {
  scale: "weight",
  mean: "running_mean",
  variance: "running_var",
};

/** torchvision's DenseNet files are older than its module names, and it renames them on loading. */
const DENSE_LAYER = /^(.*denselayer\d+\.(?:norm|conv))([12]\..*)$/;

export const TORCH_NAMING: Naming = {
  names(parameter) {
    const dot = parameter.lastIndexOf(".");
    const part = PARTS[parameter.slice(dot + 1)];
    const name = part ? `${parameter.slice(0, dot)}.${part}` : parameter;
    return [...new Set([name, parameter, name.replace(DENSE_LAYER, "$1.$2")])];
  },
  // How many batches the running statistics saw: training there reads it, nothing here.
  isIgnored: (name) => name.endsWith("num_batches_tracked"),
  layOut: (found) => found,
};
