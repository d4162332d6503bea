/** What the variables of a Keras layer are, by their names in the file or by number and rank. */

export interface LayerVariables {
  readonly name: string;
  /** Keras' class in snake case, where the file says it. */
  readonly kind?: string | undefined;
  readonly variables: readonly string[];
  readonly ranks: readonly number[];
}

/** By what is in the name, the longer before what it contains; Keras 1 wrote `LAYER_W_1:0`. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/depthwise_kernel/, "depthwise_kernel"],
  [/pointwise_kernel/, "pointwise_kernel"],
  [/(moving|running)_mean/, "moving_mean"],
  [/(moving|running)_(variance|std)/, "moving_variance"],
  [/gamma/, "gamma"],
  [/beta/, "beta"],
  [/kernel|^_W(_\d+)?$/, "kernel"],
  [/bias|^_b(_\d+)?$/, "bias"],
];

/** By the ranks of a layer's variables, in the order that Keras keeps them. */
const BY_RANKS: Readonly<Record<string, readonly string[]>> = {
  "4": ["kernel"],
  "4,1": ["kernel", "bias"],
  "2": ["kernel"],
  "2,1": ["kernel", "bias"],
  "4,4": ["depthwise_kernel", "pointwise_kernel"],
  "4,4,1": ["depthwise_kernel", "pointwise_kernel", "bias"],
  "1,1": ["gamma", "beta"],
  // A norm without a scale. Without an offset it would have as many, which Keras' networks never do.
  "1,1,1": ["beta", "moving_mean", "moving_variance"],
  "1,1,1,1": ["gamma", "beta", "moving_mean", "moving_variance"],
};

/** Keras' names of the variables: `kernel`, `gamma`, ...; those of the file where it is no such layer. */
export function partsOf({ name, kind, variables, ranks }: LayerVariables): readonly string[] {
  const own = variables.map((variable) => {
    const last = variable.split("/").at(-1)!.replace(/:\d+$/, "");
    return last.startsWith(name) ? last.slice(name.length) : last;
  });
  const named = own.map((text) => BY_NAME.find(([pattern]) => pattern.test(text))?.[1]);
  if (new Set(named).size === own.length && !named.includes(undefined)) return named as string[];
  const parts = BY_RANKS[ranks.join()];
  if (!parts) return own;
  return kind === "depthwise_conv2d"
    ? parts.map((part) => (part === "kernel" ? "depthwise_kernel" : part))
    : parts;
}
