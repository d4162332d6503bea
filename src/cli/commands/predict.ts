import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { type FileReading, loadClassifier, NOTICE } from "../../classifier/index.node.ts";
import { labelsOf } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { filesBelow } from "../../files.node.ts";
import { type CommandDefinition, number } from "../command.ts";
import { progressBar } from "../progress.ts";
import { table } from "../table.ts";

export const PREDICT: CommandDefinition = {
  name: "predict",
  summary: "Read films with a trained classifier",
  operands: [
    { name: "<model>", description: "a run folder or an .onnx file" },
    { name: "<paths...>", description: "films, or folders of films (walked in byte order)" },
  ],
  options: [
    { flags: "--csv", description: "print comma-separated values" },
    { flags: "--threads <n>", description: "threads of the network", parse: number },
  ],
  examples: [
    "hilum predict runs/cnn film.jpeg",
    "hilum predict runs/cnn/model.onnx incoming/ --json",
    "hilum predict runs/cnn incoming/ --csv > readings.csv",
  ],
  async run([model, given], options, { output, signal }) {
    const paths = (await Promise.all((given as readonly string[]).map(expanded))).flat();
    const classifier = await loadClassifier(String(model), {
      threads: options.threads as number | undefined,
    });
    const bar = progressBar("reading");
    try {
      const readings = await classifier.read(paths, {
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
        images: readings.map((reading) => plain(reading, positive)),
      });
      if (options.csv && !output.isJson) output.print(csv(readings, labelsOf(task)));
      else output.print(`${readingTable(readings, positive)}\n\n${NOTICE}`);
      const failed = readings.filter(({ error }) => error);
      for (const { error } of failed) output.note(`hilum: ${error!.message}`);
      return failed.length > 0 ? 2 : 0;
    } finally {
      bar.stop();
      await classifier.close();
    }
  },
};

/** A folder's files, named by the argument joined with the path below it. */
async function expanded(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isDirectory()) return [path];
  const files = (await filesBelow(path)).map((file) => join(path, relative(path, file)));
  if (files.length > 0) return files;
  throw new HilumError(
    "dataset-empty",
    `${path} holds no files. Name a film or a folder of films.`,
    { path },
  );
}

function plain({ path, reading, error }: FileReading, positive: string | null): object {
  if (error) return { path, error: { code: error.code, message: error.message } };
  const { label, probability, probabilities } = reading!;
  return positive === null ? { path, label, probabilities } : { path, label, probability };
}

function readingTable(readings: readonly FileReading[], positive: string | null): string {
  const rows = readings.map(({ path, reading, error }) => {
    if (error) return [path, "–", `not read: ${error.code}`];
    const { label, probability, probabilities } = reading!;
    const numbers =
      probability === null
        ? Object.entries(probabilities)
            .map(([name, value]) => `${name} ${value.toFixed(3)}`)
            .join("  ")
        : probability.toFixed(4);
    return [path, label, numbers];
  });
  return table(rows, [
    "film",
    "label",
    positive === null ? "probabilities" : `probability of ${positive}`,
  ]);
}

function csv(readings: readonly FileReading[], labels: readonly string[]): string {
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = readings.map(({ path, reading, error }) => [
    quoted(path),
    quoted(reading?.label ?? ""),
    ...labels.map((label) => reading?.probabilities[label] ?? ""),
    error?.code ?? "",
  ]);
  const header = ["path", "label", ...labels.map((label) => quoted(`p:${label}`)), "error"];
  return [header, ...rows].map((row) => row.join(",")).join("\n");
}
