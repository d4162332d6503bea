import { HilumError, nearest } from "../../errors.ts";
import {
  exportBackbone,
  type ListedBackbone,
  listBackbones,
  pullWeights,
  weightsFolder,
} from "../../models/index.node.ts";
import { type CommandContext, type CommandDefinition, text } from "../command.ts";
import { progressBar } from "../progress.ts";
import { table } from "../table.ts";

const NOTES = `
pull fetches the weights from their publisher (see list), takes up what broke off,
holds them against the digest that the publisher states, and keeps them in
HILUM_CACHE. Of VGG, InceptionV3 and Xception it takes the file without the
classifier, unless --with-top. PyTorch's files have to be converted once: pull
prints the line. Without a connection: --file FILE, fetched elsewhere.

export writes the bare backbone: input x, float [N, 3, H, W], normalised as its
publisher does; outputs features and, where the weights have the classifier,
probabilities. Its metadata say how the input is prepared and where it is from.
Weights: .h5, .weights.h5, .keras, .safetensors or .onnx.

--json prints {folder, backbones: [...]}; for pull {backbone, path, from,
isVerified, conversion}; for export {backbone, model, weights, sha256,
isPublished, inputs, outputs}.
`;

type Options = Readonly<Record<string, unknown>>;

const ACTIONS: Readonly<
  Record<string, (name: string, options: Options, context: CommandContext) => Promise<void>>
> = { pull, export: exportTo };

/** Which options go with which action; none goes with the list. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  pull: ["mirror", "file", "withTop"],
  export: ["weights", "out", "withTop"],
};

export const BACKBONES_COMMAND: CommandDefinition = {
  name: "backbones",
  summary: "List pretrained backbones, pull their weights, export them",
  operands: [
    { name: "[action]", description: "pull or export; nothing lists all backbones" },
    { name: "[name]", description: "of the backbone" },
  ],
  options: [
    { flags: "--mirror <url>", description: "pull from this address or folder", group: "Of pull:" },
    { flags: "--file <file>", description: "take this file instead", group: "Of pull:" },
    {
      flags: "--weights <file>",
      description: "weights to export (default: what was pulled)",
      group: "Of export:",
    },
    { flags: "--out <file>", description: "the .onnx file to write", group: "Of export:" },
    {
      flags: "--with-top",
      description: "the publisher's classifier has to be there",
      group: "Of both:",
    },
  ],
  notes: NOTES,
  examples: [
    "hilum backbones",
    "hilum backbones pull xception",
    "hilum backbones pull vgg19 --mirror https://mirror.example.org/keras",
    "hilum backbones pull efficientnet-lite0 --file efficientnet-lite0.safetensors",
    "hilum backbones export xception --weights xception.h5 --out xception.onnx",
  ],
  async run([action, name], options, context) {
    if (action === undefined) {
      refuseOthers("the list", options, []);
      list(context);
      return 0;
    }
    const act = ACTIONS[String(action)];
    if (!act) throw unknownAction(String(action));
    if (name === undefined)
      throw invalid(
        `Nothing says which backbone to ${action}. Name one: hilum backbones ${action} NAME`,
        "name",
      );
    refuseOthers(String(action), options, OPTIONS_OF[String(action)]!);
    await act(String(name), options, context);
    return 0;
  },
};

function list({ output }: CommandContext): void {
  const backbones = listBackbones();
  output.result({ folder: weightsFolder(), backbones });
  if (output.isJson) return;
  const million = (count: number) => `${(count / 1e6).toFixed(1)} M`;
  const rows = backbones.map((backbone) => [
    backbone.name,
    million(backbone.parameters),
    (backbone.flops / 1e9).toFixed(2),
    backbone.size,
    backbone.licence,
    sourceOf(backbone),
    backbone.cached ? "yes" : "",
  ]);
  const head = ["backbone", "parameters", "GFLOPs", "input", "licence", "weights from", "cached"];
  output.print(table(rows, head));
  output.print(
    `\nGFLOPs of one image, two for each multiply-add, the classifier included. Cached in ${weightsFolder()}.\nPull one with: hilum backbones pull NAME. Not for clinical use.`,
  );
}

function sourceOf({ files, converted, cited }: ListedBackbone): string {
  const publisher = cited.split(",")[0]!;
  if (files.length === 0) return `your own file (${publisher})`;
  return `${new URL(files[0]!.url).host}${converted ? ", to convert" : ""}`;
}

async function pull(
  name: string,
  options: Options,
  { output, signal }: CommandContext,
): Promise<void> {
  const bar = progressBar(name);
  const begun = performance.now();
  let start: number | undefined;
  const pulled = await pullWeights(name, {
    mirror: text(options.mirror),
    file: text(options.file),
    withTop: options.withTop === true,
    signal,
    onProgress({ done, total }) {
      start ??= done;
      const speed = ((done - start) / 1e6 / (performance.now() - begun)) * 1e3;
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
      const of = total === null ? "" : ` of ${megabytes(total)}`;
      bar.update(done, total ?? done, `${megabytes(done)}${of} MB, ${speed.toFixed(1)} MB/s`);
    },
    onWait: (pid) => output.note(`Process ${pid} fetches ${name} already: waiting for it.`),
  }).finally(() => bar.stop());
  output.result(pulled);
  const { path, from, isVerified, conversion } = pulled;
  const state = isVerified ? "as its publisher states" : "fits; its publisher states no digest";
  output.print(
    table([
      ["weights", path],
      ["from", from],
      ["checked", state],
    ]),
  );
  output.print(
    conversion
      ? `\nOne step is left, where Python has torch and safetensors:\n${conversion}`
      : `\nTrain with: hilum train DIR --model ${name} --pretrained imagenet --out runs/${name}`,
  );
}

async function exportTo(name: string, options: Options, { output }: CommandContext): Promise<void> {
  const out = text(options.out);
  if (!out) throw invalid("Nothing says where to. Name a file: --out FILE.onnx", "out");
  const exported = await exportBackbone(name, {
    weights: text(options.weights),
    withTop: options.withTop === true ? true : undefined,
    out,
  });
  output.result(exported);
  const values = (list: typeof exported.inputs) =>
    list.map(({ name, shape }) => `${name} [${shape?.join(", ")}]`).join("\n");
  output.print(
    table([
      ["model", out],
      ["weights", `${exported.weights}${exported.isPublished ? " (published)" : ""}`],
      ["inputs", values(exported.inputs)],
      ["outputs", values(exported.outputs)],
    ]),
  );
}

function refuseOthers(action: string, options: Options, allowed: readonly string[]): void {
  const other = Object.keys(options).find((option) => !allowed.includes(option));
  if (other === undefined) return;
  const flag = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw invalid(`${flag} is no option of ${action}. Leave it out.`, flag);
}

function unknownAction(action: string): HilumError {
  const actions = Object.keys(ACTIONS);
  const suggestion = nearest(action, actions);
  return new HilumError(
    "invalid-option",
    `hilum backbones cannot "${action}".${suggestion ? ` Did you mean "${suggestion}"?` : ""} It can: ${actions.join(", ")}.`,
    { option: "action", value: action, suggestion, allowed: actions },
  );
}

const invalid = (message: string, option: string): HilumError =>
  new HilumError("invalid-option", message, { option });
