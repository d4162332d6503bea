/** What `evaluate --robustness` adds: the films read again, spoilt in every way. */
import type { Classifier } from "../classifier/index.node.ts";
import {
  estimateRobustness,
  type LabelledFilm,
  type Robustness,
  robustness,
} from "../evaluation/index.ts";
import type { CommandContext } from "./command.ts";
import { duration, progressBar } from "./progress.ts";

/** Says first how long it will take. Throws what `robustness` throws. */
export async function robustnessOf(
  classifier: Classifier,
  films: readonly LabelledFilm[],
  threshold: number | undefined,
  { output, signal }: CommandContext,
): Promise<Robustness> {
  const estimate = await estimateRobustness(classifier, films);
  if (estimate)
    output.note(
      `robustness: ${films.length.toLocaleString("en")} films, ${estimate.readings.toLocaleString("en")} readings: about ${duration(estimate.seconds)}`,
    );
  const bar = progressBar("spoiling films");
  try {
    return await robustness(classifier, films, {
      threshold,
      signal,
      onProgress: ({ done, total }) => bar.update(done, total),
    });
  } finally {
    bar.stop();
  }
}
