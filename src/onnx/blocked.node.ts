/** Whether this machine has ONNX Runtime's blocked operators, and with which block. */
import { isHilumError } from "../errors.ts";
import { graphBuilder } from "./build.ts";
import { modelOf } from "./graph.ts";
import { reorderInput } from "./operators/blocked.ts";
import { openSession } from "./session.node.ts";
import { float32 } from "./tensor.ts";

const CHANNELS = 16;

let known: Promise<number> | undefined;

/**
 * Channels in a block: 16 with AVX-512, 8 with AVX2, 0 where the blocked operators are missing (other
 * processors, or an ONNX Runtime without them). A ramp that is put into blocks shows it.
 */
export function blockedChannels(): Promise<number> {
  known ??= probe().catch((error: unknown) => {
    if (isHilumError(error) && error.code === "graph-invalid") return 0;
    known = undefined;
    throw error;
  });
  return known;
}

async function probe(): Promise<number> {
  const builder = graphBuilder();
  builder.output(reorderInput(builder.input("x", "float32", [1, CHANNELS, 1, 2])), "y");
  const session = await openSession(modelOf(builder.build()), { threads: 1 });
  try {
    const ramp = Float32Array.from({ length: 2 * CHANNELS }, (_, index) => index);
    const { y } = await session.run({ x: float32([1, CHANNELS, 1, 2], ramp) });
    return [16, 8].find((block) => isBlockedBy(block, y!.data as Float32Array)) ?? 0;
  } finally {
    await session.close();
  }
}

/** Element (channel, position) of the ramp is 2 channel + position. */
function isBlockedBy(block: number, data: Float32Array): boolean {
  return data.every((value, place) => {
    const position = Math.floor(place / block) % 2;
    const channel = Math.floor(place / (2 * block)) * block + (place % block);
    return value === 2 * channel + position;
  });
}
