import { describe, expect, it } from "vitest";
import { backboneEntry } from "./backbones/table.ts";
import { graphCost } from "./graph-cost.ts";
import { backboneGraph } from "./weights/backbone-graph.ts";

/** num_params and _ops (10^9 multiply-adds, three decimals). Source: torchvision 0.29.2, models/*.py. */
const PUBLISHED = [
  { name: "resnet18", parameters: 11_689_512, giga: 1.814 },
  { name: "resnet34", parameters: 21_797_672, giga: 3.664 },
  { name: "resnet50", parameters: 25_557_032, giga: 4.089 },
  { name: "densenet121", parameters: 7_978_856, giga: 2.834 },
  { name: "mobilenet-v2", parameters: 3_504_872, giga: 0.301 },
  { name: "convnext-tiny", parameters: 28_589_128, giga: 4.456 },
] as const;

describe("graphCost", () => {
  it.each(PUBLISHED)("counts of $name what torchvision states", ({ name, parameters, giga }) => {
    const cost = graphCost(backboneGraph(backboneEntry(name), { withTop: true }));
    expect(cost.parameters).toBe(parameters);
    expect(Math.round(cost.multiplyAdds / 1e6) / 1e3).toBe(giga);
  });
});
