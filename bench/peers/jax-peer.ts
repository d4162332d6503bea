/** jax-js on its WebAssembly backend: the work `cnn`, jitted, with Adam written out (its optax is not in the index). */
import { init, jit, lax, nn, numpy as np, random, valueAndGrad } from "@jax-js/jax";
import { peakMiB, peerOptions, serve } from "./serve.ts";

type Parameters = { readonly [name: string]: np.Array };

const importedMiB = peakMiB();
const { task, work, size, batch } = peerOptions();
if (work !== "cnn" || task !== "training")
  throw new Error("jax-js is compared on training cnn only");
await init("wasm");

const shapes = shapesOf(size);
let parameters = initial((dims) => random.normal(random.key(1), dims).mul(0.05));
let first = initial((dims) => np.zeros(dims));
let second = initial((dims) => np.zeros(dims));
const images = random.normal(random.key(2), [batch, 1, size, size]);
const targets = np.array(Array.from({ length: batch }, (_, index) => [index % 2]));
let count = 0;

const lossAndGradient = jit(valueAndGrad(loss));

await serve(step, {
  parameters: Object.values(shapes),
  versions: { "jax-js": "0.1.25" },
  importedMiB,
});

/** One step of Adam. Dropout is left out: the peer does a little less. */
async function step(): Promise<void> {
  count++;
  const kept = mapped(parameters, (_, value) => value.ref);
  const [value, gradient] = lossAndGradient(kept, images.ref, targets.ref);
  const scale = (1e-3 * Math.sqrt(1 - 0.999 ** count)) / (1 - 0.9 ** count);
  first = mapped(first, (name, old) => old.mul(0.9).add(gradient[name]!.ref.mul(0.1)));
  second = mapped(second, (name, old) => {
    const g = gradient[name]!;
    return old.mul(0.999).add(g.ref.mul(g).mul(0.001));
  });
  parameters = mapped(parameters, (name, old) =>
    old.sub(first[name]!.ref.mul(scale).div(np.sqrt(second[name]!.ref).add(1e-8))),
  );
  await value.data();
  await Promise.all(Object.values(parameters).map((one) => one.blockUntilReady()));
}

function loss(p: Parameters, x: np.Array, t: np.Array): np.Array {
  let y = x;
  for (const stage of [0, 1, 2]) {
    const channels = shapes[`bias${stage}`]![0]!;
    y = lax.convGeneralDilated(y, p[`weight${stage}`]!, [1, 1], "SAME");
    y = y.add(p[`bias${stage}`]!.reshape([1, channels, 1, 1]));
    y = nn.relu(lax.reduceWindow(y, (window) => np.max(window), [2, 2], [2, 2]));
  }
  y = nn.relu(np.matmul(y.reshape([batch, -1]), p.dense!).add(p.denseBias!));
  const z = np.matmul(y, p.head!).add(p.headBias!);
  return nn.softplus(z.ref).sub(t.mul(z)).mean();
}

function shapesOf(side: number): Record<string, number[]> {
  const widths = [1, 32, 64, 128];
  const stages = [0, 1, 2].flatMap((stage): [string, number[]][] => [
    [`weight${stage}`, [widths[stage + 1]!, widths[stage]!, 3, 3]],
    [`bias${stage}`, [widths[stage + 1]!]],
  ]);
  const flat = 128 * Math.floor(side / 8) ** 2;
  return {
    ...Object.fromEntries(stages),
    dense: [flat, 128],
    denseBias: [128],
    head: [128, 1],
    headBias: [1],
  };
}

function initial(make: (dims: number[]) => np.Array): Record<string, np.Array> {
  return Object.fromEntries(Object.entries(shapes).map(([name, dims]) => [name, make(dims)]));
}

function mapped(
  values: Parameters,
  change: (name: string, value: np.Array) => np.Array,
): Record<string, np.Array> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, change(name, value)]),
  );
}
