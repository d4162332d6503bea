import { describe, expect, it } from "vitest";
import { kernelsOnly, parametersOfAll } from "./equality.ts";

const contestant = (name: string, parameters: readonly (readonly number[])[]) => ({
  name,
  parameters,
  versions: {},
  importedMiB: 0,
  run: async () => 0,
  peakMiB: () => 0,
  cpuSeconds: () => 0,
  close: async () => undefined,
});

describe("equality of compared networks", () => {
  const ours = contestant("hilum", [[64, 1, 7, 7], [64], [1, 512]]);

  it("looks over the order of axes and layers", () => {
    const keras = contestant("keras", [[512, 1], [7, 7, 1, 64], [64]]);
    expect(parametersOfAll([ours, keras])).toBe(64 * 49 + 64 + 512);
  });

  it("looks over norms of other editions, but not over kernels, where only those are asked for", () => {
    const kernels = [ours, contestant("keras", [[512], [64, 1, 7, 7], [64], [64]])];
    expect(() => parametersOfAll(kernels)).toThrow(/network of keras is not the one/);
    expect(parametersOfAll(kernels.map(kernelsOnly))).toBe(64 * 49);
    const deeper = [
      ...kernels,
      contestant("torch", [
        [64, 1, 7, 7],
        [64, 64, 1, 1],
      ]),
    ];
    expect(() => parametersOfAll(deeper.map(kernelsOnly))).toThrow(/network of torch is not the/);
  });

  it("refuses a network of as many parameters in other shapes", () => {
    const other = contestant("torch", [[32, 2, 7, 7], [64], [1, 512]]);
    expect(() => parametersOfAll([ours, other])).toThrow(
      /network of torch is not the one of hilum/,
    );
  });
});
