import {
  type FileReading,
  loadClassifier,
  NOTICE,
  readFilms,
} from "../../classifier/index.node.ts";
import { type CommandDefinition, count } from "../command.ts";
import { progressBar } from "../progress.ts";

const NOTES = `
A film at or above the model's operating point is labelled positive; of several
classes the most probable is the label; of findings, each at or above the
operating point is present ("Effusion|Mass", or "No Finding").

--json prints {model, positive, images: [{path, label, probability}]}; with
several classes or findings, positive is null and probabilities takes the place
of probability. A model with a gate also says {assessed, reasons, corrections,
warnings}: an image that is no upright, whole, well exposed chest X-ray has
assessed false and its reasons, no label and no probability, and is no error.
A film that cannot be read has {path, error: {code, message}},
and the exit code is 2 after all others are read.
`;

export const PREDICT: CommandDefinition = {
  name: "predict",
  summary: "Read films with a trained classifier",
  operands: [
    { name: "<model>", description: "a run folder or an .onnx file" },
    { name: "<paths...>", description: "films, or folders of films (walked in byte order)" },
  ],
  options: [
    { flags: "--csv", description: "print comma-separated values" },
    { flags: "--threads <n>", description: "threads of the network (default: all)", parse: count },
  ],
  notes: NOTES,
  examples: [
    "hilum predict runs/cnn film.jpeg",
    "hilum predict runs/cnn/model.onnx incoming/ --json",
    "hilum predict runs/cnn incoming/ --csv > readings.csv",
  ],
  async run([model, paths], options, { output, signal }) {
    const classifier = await loadClassifier(String(model), {
      threads: options.threads as number | undefined,
    });
    const bar = progressBar("reading");
    try {
      const readings = await readFilms(classifier, paths as readonly string[], {
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      bar.stop();
      const { task } = classifier.metadata;
      const positive =
        task.kind === "classes" && task.positive !== null ? task.classes[task.positive]! : null;
      output.result({
        model: classifier.path,
        positive,
        images: readings.map((reading) => plain(reading, positive, classifier.gate !== undefined)),
      });
      if (!output.isJson) {
        // Only people need tables, which take a while to load.
        const { readingsCsv, readingsTable } = await import("../readings.ts");
        if (options.csv) output.print(readingsCsv(readings, task));
        else output.print(`${readingsTable(readings, positive)}\n\n${NOTICE}`);
      }
      const failed = readings.filter(({ error }) => error);
      for (const { error } of failed) output.note(`hilum: ${error!.message}`);
      return failed.length > 0 ? 2 : 0;
    } finally {
      bar.stop();
      await classifier.close();
    }
  },
};

/** A film's entry under `images`. */
export function plain(
  { path, reading, error }: FileReading,
  positive: string | null,
  isGated: boolean,
): object {
  if (error) return { path, error: { code: error.code, message: error.message } };
  const { label, probability, probabilities, assessed, reasons, corrections, warnings } = reading!;
  const gated = isGated ? { assessed, reasons, corrections, warnings } : {};
  if (!assessed) return { path, ...gated };
  return positive === null
    ? { path, label, probabilities, ...gated }
    : { path, label, probability, ...gated };
}
