import { extname, resolve } from "node:path";
import { openDataset } from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { writeFileAtomically } from "../../files.node.ts";
import { type ClusterOptions, clusterFilms, clusterManifest } from "../../training/index.ts";
import { type CommandDefinition, count, number, text } from "../command.ts";
import { progressBars } from "../progress.ts";
import { table } from "../table.ts";

export const CLUSTER: CommandDefinition = {
  name: "cluster",
  summary: "Put patients into clusters of alike images, to hold out whole ones in training",
  operands: [
    { name: "<dir>", description: "CLASS/*, split/CLASS/*, or a folder with manifest.csv" },
  ],
  options: [
    { flags: "--out <file>", description: "the manifest to write, .jsonl", isRequired: true },
    { flags: "--k <n>", description: "clusters (default: 4)", parse: count },
    {
      flags: "--column <name>",
      description: "the manifest's column for them (default: cluster)",
    },
    {
      flags: "--model <name>",
      description:
        "the pretrained backbone that tells images apart, an ONNX file, or pneumonia, the shipped model",
      isRequired: true,
    },
    {
      flags: "--pretrained <name>",
      description: "published weights, pulled beforehand (hilum backbones pull)",
      choices: ["imagenet"],
    },
    { flags: "--weights <file>", description: "weights of the backbone instead, from a file" },
    {
      flags: "--size <pixels>",
      description: "side of the square input (default: the network's recipe)",
      parse: number,
    },
    { flags: "--seed <n>", description: "seed of the beginnings (default: 1)", parse: number },
    { flags: "--patient-pattern <regex>", description: "the patient in a file name" },
    { flags: "--label-pattern <regex>", description: "the class in a file name" },
    {
      flags: "--cache <folder>",
      description: "where decoded films are kept (default: HILUM_CACHE)",
    },
  ],
  notes: `
Validation by patient does not show what becomes of a model at another archive. Where the
archives are not known, clusters of alike images stand in for them: k-means on what a frozen
backbone sees, less the mean of each class, a patient's films together. A silhouette near 0
says that the clusters run into one another: they are then parts of one cloud, not archives.

The manifest names films by their paths below <dir>; films of the test part get no cluster.
Then: hilum train <dir> --manifest FILE --folds 4 --fold-by cluster --out runs/clusters
`,
  examples: [
    "hilum cluster chest_xray --model efficientnet-lite0 --weights FILE --out clusters.jsonl",
    "hilum cluster chest_xray --model ./mine.onnx --k 3 --column site --out sites.jsonl",
  ],
  async run([dir], { out, k, column, cache, ...options }, { output, signal }) {
    const file = resolve(String(out));
    refuseOther(file);
    const { patientPattern, labelPattern, ...settings } = options;
    const dataset = await openDataset(String(dir), {
      patientPattern: text(patientPattern),
      labelPattern: text(labelPattern),
      signal,
    });
    const bars = progressBars();
    try {
      const found = await clusterFilms(
        dataset,
        { ...settings, ...(typeof k === "number" ? { k } : {}) } as ClusterOptions,
        {
          cacheFolder: text(cache),
          signal,
          onProgress: ({ work, done, total }) => bars.update(`reading ${work}`, done, total),
        },
      );
      bars.stop();
      writeFileAtomically(file, clusterManifest(dataset, found, text(column)));
      const { clusters, silhouette, problems } = found;
      for (const { message } of problems) output.note(message);
      output.result({ manifest: file, clusters, silhouette, problems });
      const labels = Object.keys(clusters[0]!.labels);
      output.print(
        table(
          clusters.map((cluster) => [
            cluster.name,
            cluster.patients,
            cluster.films,
            ...labels.map((label) => cluster.labels[label]!),
            cluster.silhouette.toFixed(3),
          ]),
          ["cluster", "patients", "films", ...labels, "silhouette"],
        ),
      );
      output.note(`silhouette of all patients ${silhouette.toFixed(3)}; wrote ${String(out)}`);
      return 0;
    } finally {
      bars.stop();
    }
  },
};

/** Before films are read: rows are taken for JSON by the file's name. */
function refuseOther(file: string): void {
  if (extname(file).toLowerCase() === ".jsonl") return;
  throw new HilumError(
    "invalid-option",
    `Option out is ${file}; the manifest is a file of JSON lines. Call it .jsonl.`,
    { option: "out", value: file },
  );
}
