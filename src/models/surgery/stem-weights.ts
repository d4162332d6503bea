/** The numbers of a stem that reads one grey image: its weights mixed, its bias raised. */
import type { Tensor } from "../../onnx/index.ts";

/** A number for each channel of an image, `[1, C, 1, 1]`. */
export const perChannel = (values: readonly number[]): Tensor => ({
  type: "float32",
  dims: [1, values.length, 1, 1],
  data: Float32Array.from(values),
});

/** The number r with `rest = r * gain` in every channel. */
export function commonRatio(rest: readonly number[], gain: readonly number[]): number | undefined {
  if (rest.every((value) => value === 0)) return 0;
  const ratio = rest[0]! / gain[0]!;
  const largest = Math.max(...gain.map((value) => Math.abs(value * ratio)));
  const isCommon = rest.every((value, c) => Math.abs(value - ratio * gain[c]!) <= 1e-9 * largest);
  return isCommon ? ratio : undefined;
}

/** `[O, C, kh, kw]` to `[O, M, kh, kw]`: the channels summed with each list of factors. */
export function mixedChannels(
  { dims, data }: Tensor,
  mixes: readonly (readonly number[])[],
): Tensor {
  const [outputs, inputs, height, width] = dims as [number, number, number, number];
  const taps = height * width;
  const mixed = new Float32Array(outputs * mixes.length * taps);
  for (let o = 0; o < outputs; o++)
    mixes.forEach((factors, m) => {
      for (let tap = 0; tap < taps; tap++) {
        let total = 0;
        for (let c = 0; c < inputs; c++)
          total += factors[c]! * Number(data[(o * inputs + c) * taps + tap]);
        mixed[(o * mixes.length + m) * taps + tap] = total;
      }
    });
  return { type: "float32", dims: [outputs, mixes.length, height, width], data: mixed };
}

/** The bias with what the constant `edge` adds to every output; undefined where there is neither. */
export function offsets(
  weight: Tensor,
  edge: readonly number[],
  bias: Tensor | undefined,
): Tensor | undefined {
  if (edge.every((value) => value === 0)) return bias;
  const [outputs, inputs, ...kernel] = weight.dims as [number, number, ...number[]];
  const taps = kernel.reduce((product, size) => product * size, 1);
  const sums = Float32Array.from({ length: outputs }, (_, o) => {
    let total = bias ? Number(bias.data[o]) : 0;
    for (let i = 0; i < inputs * taps; i++)
      total += edge[Math.floor(i / taps)]! * Number(weight.data[o * inputs * taps + i]);
    return total;
  });
  return { type: "float32", dims: [outputs], data: sums };
}
