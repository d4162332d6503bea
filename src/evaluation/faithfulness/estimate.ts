/** How long heat maps take to be tried. */
import {
  type Classifier,
  type ExplanationMethod,
  openPictureReader,
} from "../../classifier/index.node.ts";
import { STEPS } from "./perturbation.ts";

/** What a map takes, in films through the network: forward and backward, or over and over. */
const RUNS: Readonly<Record<ExplanationMethod, number>> = {
  "grad-cam": 2,
  "grad-cam++": 2,
  "layer-cam": 2,
  occlusion: 240,
  "integrated-gradients": 128,
};

/** Seconds that `faithfulness` will take of so many films, from a few pictures read after warm-up. */
export async function estimateFaithfulness(
  { model }: Pick<Classifier, "model">,
  films: number,
  methods: readonly ExplanationMethod[],
): Promise<number> {
  const reader = await openPictureReader(model);
  try {
    const pictures = new Float32Array(16 * reader.size ** 2);
    await reader.probabilities(pictures);
    const start = performance.now();
    await reader.probabilities(pictures);
    const secondsEach = (performance.now() - start) / 1000 / 16;
    return films * secondsEach * runsOf(methods);
  } finally {
    await reader.close();
  }
}

function runsOf(methods: readonly ExplanationMethod[]): number {
  const curves = 3 * (STEPS + 1);
  // As it is, shifted four times, and with four numbers of layers shuffled.
  const ofMaps = methods.map((method) => 2 * curves + 9 * RUNS[method]);
  return ofMaps.reduce((sum, runs) => sum + runs, curves);
}
