import {
  EXPLANATION_METHODS,
  type ExplanationMethod,
  explainFilms,
  type FileExplanation,
  loadClassifier,
  NOTICE,
  openExplainer,
} from "../../classifier/index.node.ts";
import { gateWords } from "../../classifier/index.ts";
import { type CommandDefinition, count, text } from "../command.ts";
import { progressBar } from "../progress.ts";

const NOTES = `
Each film gets a PNG called after it: the film, and beside it the heat of what
speaks for the class. Of films of one name the later ones are numbered. A film
whose greys the model's gate puts right is shown and explained as the network sees
it, by every method, and the picture says so.

--json prints {model, images: [{path, label, class, probability, method, overlay,
peak}]}: the probability is that of the class; peak is {x, y}, shares of the film's
width and height, or null. A model with a gate also says {corrections, warnings},
as predict does. An image that the model's gate does not assess has
{path, assessed: false, reasons}. A film that cannot be read has {path, error:
{code, message}}, and the exit code is 2 after all others are explained.
`;

export const EXPLAIN: CommandDefinition = {
  name: "explain",
  summary: "Show on films what a classifier's answer rests on",
  operands: [
    { name: "<model>", description: "a run folder or an .onnx file" },
    { name: "<paths...>", description: "films, or folders of films (walked in byte order)" },
  ],
  options: [
    {
      flags: "--method <name>",
      description: "how (default: as the file's own heat map, else grad-cam)",
      choices: EXPLANATION_METHODS,
    },
    {
      flags: "--class <name>",
      description: "for which class (default: the positive, or each film's most probable)",
    },
    { flags: "--out <dir>", description: "folder of the pictures (default: explanations)" },
    { flags: "--threads <n>", description: "threads of the network (default: all)", parse: count },
  ],
  notes: NOTES,
  examples: [
    "hilum explain pneumonia film.jpeg",
    "hilum explain runs/cnn incoming/ --method occlusion --out occlusion --json",
  ],
  async run([model, paths], options, { output, signal }) {
    const threads = options.threads as number | undefined;
    await using classifier = await loadClassifier(String(model), { threads });
    const explainer = await openExplainer(classifier.model, {
      method: options.method as ExplanationMethod | undefined,
      class: text(options.class),
      threads,
    });
    const bar = progressBar("explaining");
    try {
      const images = await explainFilms(classifier, explainer, paths as readonly string[], {
        out: text(options.out) ?? "explanations",
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      bar.stop();
      const isGated = classifier.gate !== undefined;
      output.result({
        model: classifier.path,
        images: images.map((image) => plain(image, isGated)),
      });
      if (!output.isJson) {
        const { table } = await import("../table.ts");
        const notes = images.flatMap(remark);
        const shown = [table(images.map(row), HEADINGS), ...notes].join("\n");
        output.print(`${shown}\n\n${NOTICE}`);
      }
      const failed = images.filter(({ error }) => error);
      for (const { error } of failed) output.note(`hilum: ${error!.message}`);
      return failed.length > 0 ? 2 : 0;
    } finally {
      bar.stop();
      await explainer.close();
    }
  },
};

const HEADINGS = ["film", "label", "probability", "overlay"];

function row({ path, reading, error, explanation }: FileExplanation): string[] {
  if (error) return [path, "–", `not read: ${error.code}`, ""];
  if (!explanation) return [path, "not assessed", reading!.reasons.join(", "), ""];
  const { class: of, probability, overlay } = explanation;
  return [path, reading!.label!, `${of} ${probability.toFixed(4)}`, overlay];
}

/** What the gate put right or warns of. */
function remark({ path, reading }: FileExplanation): string[] {
  if (!reading?.assessed) return [];
  const codes = [...reading.corrections, ...reading.warnings];
  return codes.length === 0 ? [] : [`${path}: ${gateWords(codes)}`];
}

function plain({ path, reading, error, explanation }: FileExplanation, isGated: boolean): object {
  if (error) return { path, error: { code: error.code, message: error.message } };
  if (!explanation) return { path, assessed: false, reasons: reading!.reasons };
  const { label, corrections, warnings } = reading!;
  return { path, label, ...explanation, ...(isGated ? { corrections, warnings } : {}) };
}
