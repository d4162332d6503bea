/**
 * From the tensors of a file to the parameters of a graph: by name under the file's convention, in
 * ONNX layout, as float32. A file fits wholly or is refused; only the publisher's classifier may be
 * left out, for many files come without it.
 */
import { HilumError, nearest } from "../../errors.ts";
import type { Tensor } from "../../onnx/index.ts";
import { asFloat32, isReal } from "./float32.ts";
import { kerasNaming } from "./keras-naming.ts";
import type { NamedTensors, Naming, WeightConvention } from "./named-tensors.ts";
import { TORCH_NAMING } from "./torch-naming.ts";

const NAMINGS: Readonly<Record<WeightConvention, (parameters: ReadonlySet<string>) => Naming>> = {
  torch: () => TORCH_NAMING,
  keras: kerasNaming,
};

export interface ExpectedTensors {
  /** Parameters of the graph up to the features, in the order they were made. */
  readonly features: ReadonlyMap<string, Tensor>;
  /** Those of the publisher's classifier. */
  readonly top: ReadonlyMap<string, Tensor>;
}

export interface FittedWeights {
  /** By the graph's names, of the shapes expected, float32. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Whether the classifier's are among them. */
  readonly hasTop: boolean;
}

/**
 * The file's tensors under the graph's names. Where `withTop` is not given, the classifier is taken
 * if the file has it. Throws `weights-mismatch` naming the first difference.
 */
export function fitWeights(
  { features, top }: ExpectedTensors,
  file: NamedTensors,
  { withTop }: { readonly withTop?: boolean | undefined } = {},
): FittedWeights {
  const parameters = new Set([...features.keys(), ...top.keys()]);
  const naming = NAMINGS[file.convention](parameters);
  const keys = new Map(
    Array.from(parameters, (parameter) => {
      const candidates = naming.names(parameter);
      return [parameter, candidates.find((name) => file.tensors.has(name)) ?? candidates[0]!];
    }),
  );
  const isThere = (parameter: string) => file.tensors.has(keys.get(parameter)!);
  const hasTop = withTop !== false && (withTop || [...top.keys()].some(isThere));
  const tensors = new Map<string, Tensor>();
  for (const [parameter, { dims }] of hasTop ? [...features, ...top] : features) {
    const key = keys.get(parameter)!;
    const found = file.tensors.get(key);
    if (!found) throw missing(file, { parameter, key, isTop: top.has(parameter) });
    if (!isReal(found))
      throw mismatch(
        file,
        `${quoted(file, key)} is of type ${found.type}, not of floating-point numbers`,
        {
          problem: "type",
          tensor: key,
          parameter,
          found: found.type,
        },
      );
    const fitted = naming.layOut(found, parameter);
    const laidOut = `${fitted.dims}` === `${found.dims}` ? "" : ` (here [${fitted.dims}])`;
    if (`${fitted.dims}` !== `${dims}`)
      throw mismatch(
        file,
        `${quoted(file, key)} has shape [${found.dims}]${laidOut} where [${dims}] is needed`,
        {
          problem: "shape",
          tensor: key,
          parameter,
          // In ONNX layout, as are the needed ones: a Keras kernel of the right shape looks otherwise.
          found: fitted.dims,
          expected: dims,
        },
      );
    tensors.set(parameter, asFloat32(fitted));
  }
  refuseOthers(file, naming, new Set(keys.values()));
  return { tensors, hasTop };
}

function refuseOthers(file: NamedTensors, naming: Naming, known: ReadonlySet<string>): void {
  for (const key of file.tensors.keys())
    if (!known.has(key) && !naming.isIgnored(key))
      throw mismatch(file, `it has ${quoted(file, key, true)}, which the network has not`, {
        problem: "extra",
        tensor: key,
      });
}

/** A tensor's name here, and in the file where that is another. */
function quoted({ originals }: NamedTensors, key: string, isForeign = false): string {
  const original = originals?.get(key) ?? key;
  if (original === key || isForeign) return `"${original}"`;
  return `"${key}" ("${original}" in the file)`;
}

function missing(
  file: NamedTensors,
  { parameter, key, isTop }: { parameter: string; key: string; isTop: boolean },
): HilumError {
  const similar = nearest(key, file.tensors.keys());
  const part = isTop ? ", a part of the classifier," : "";
  return mismatch(
    file,
    `"${key}"${part} is missing${similar ? ` (the nearest name is "${similar}")` : ""}`,
    { problem: "missing", tensor: key, parameter, isTop, similar },
  );
}

function mismatch(
  { source, convention }: NamedTensors,
  problem: string,
  details: Readonly<Record<string, unknown>>,
): HilumError {
  return new HilumError(
    "weights-mismatch",
    `${source} does not fit the network: ${problem}. Name the network that the file was made for.`,
    { file: source, convention, ...details },
  );
}
