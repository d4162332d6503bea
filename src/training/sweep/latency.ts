/** How long a trained classifier takes for one film, preprocessing in the graph included. */
import { openSession } from "../../onnx/index.node.ts";
import type { Tensor } from "../../onnx/index.ts";
import { randomStream } from "../../random.ts";

const WARM_UPS = 3;
const RUNS = 15;
const SIDE = 512;

/** Median milliseconds for one film of 512 x 512, one at a time. */
export async function latencyOf(modelFile: string, threads: number): Promise<number> {
  const session = await openSession(modelFile, { threads });
  try {
    const noise = randomStream("latency");
    const images: Tensor = {
      type: "uint8",
      dims: [1, SIDE, SIDE],
      data: Uint8Array.from({ length: SIDE * SIDE }, () => noise.integer(256)),
    };
    const [input] = session.inputNames;
    const times: number[] = [];
    for (let run = 0; run < WARM_UPS + RUNS; run++) {
      const begun = performance.now();
      await session.run({ [input!]: images });
      if (run >= WARM_UPS) times.push(performance.now() - begun);
    }
    return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!;
  } finally {
    await session.close();
  }
}
