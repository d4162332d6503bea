import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  auditDataset,
  auditPage,
  auditPictures,
  auditText,
  openDataset,
} from "../../datasets/index.ts";
import { HilumError } from "../../errors.ts";
import { writeFileAtomically } from "../../files.node.ts";
import { type CommandDefinition, text } from "../command.ts";
import { progressBar } from "../progress.ts";

export const AUDIT: CommandDefinition = {
  name: "audit",
  summary: "Say what is in a folder of films, and what is wrong with it",
  operands: [
    { name: "<dir>", description: "CLASS/*, split/CLASS/*, or a folder with manifest.csv" },
  ],
  options: [
    { flags: "--html <file>", description: "write the audit as one HTML page" },
    { flags: "--no-images", description: "leave the films out of the page" },
    { flags: "--patient-pattern <regex>", description: "the patient in a file name" },
    { flags: "--label-pattern <regex>", description: "the class in a file name" },
  ],
  examples: [
    "hilum audit chest_xray",
    "hilum audit chest_xray --html audit.html",
    "hilum audit chest_xray --json",
  ],
  async run([dir], options, { output, signal }) {
    const target = text(options.html);
    if (target !== undefined) await refuseMissingFolder(target);
    const dataset = await openDataset(String(dir), {
      patientPattern: text(options.patientPattern),
      labelPattern: text(options.labelPattern),
    });
    const bar = progressBar("reading films");
    try {
      const audit = await auditDataset(dataset, {
        signal,
        onProgress: ({ done, total }) => bar.update(done, total),
      });
      bar.stop();
      if (target !== undefined) {
        const pictures = options.images === false ? undefined : await auditPictures(dataset, audit);
        writeFileAtomically(resolve(target), auditPage(audit, pictures));
        output.note(`wrote ${target}`);
      }
      output.result(audit);
      output.print(auditText(audit));
      return 0;
    } finally {
      bar.stop();
    }
  },
};

/** Before the films are read, which may take minutes. */
async function refuseMissingFolder(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  const info = await stat(folder).catch(() => undefined);
  if (info?.isDirectory()) return;
  throw new HilumError(
    "file-not-found",
    `There is no folder ${folder} to write ${file} into. Make it first, or choose another file.`,
    { path: file, folder },
  );
}
