/** What to do after the demo. */

export interface NextCommand {
  readonly command: string;
  readonly why: string;
}

/** The commands to go on with, after films were read by the shipped model. */
export const COMMANDS_AFTER_READING: readonly NextCommand[] = [
  { command: "npx hilum demo FILE-OR-FOLDER...", why: "the same with your own films" },
  {
    command: "npx hilum predict pneumonia FILE-OR-FOLDER...",
    why: "probabilities, as a table, CSV or JSON",
  },
  {
    command: "npx hilum explain pneumonia FILE-OR-FOLDER...",
    why: "a picture of each, by other methods too",
  },
  {
    command: "npx hilum evaluate pneumonia --data DIR",
    why: "how well it reads films whose truth you know",
  },
  { command: "npx hilum demo --train", why: "draw synthetic films and train on them" },
];

/** The commands to go on with, after a training demo in the folder that the user called `out`. */
export function commandsAfter(out: string): NextCommand[] {
  const word = /^[\w./-]+$/.test(out) ? out : `"${out}"`;
  return [
    {
      command: "npx hilum audit DIR --html audit.html",
      why: "what is in your folder, and what is wrong",
    },
    {
      command: "npx hilum train DIR --model cnn --out runs/cnn",
      why: "patients stay on one side of the split",
    },
    {
      command: "npx hilum evaluate runs/cnn --data DIR",
      why: "on the test films, where there are any",
    },
    {
      command: "npx hilum predict runs/cnn FILE-OR-FOLDER",
      why: "probabilities, as a table, CSV or JSON",
    },
    {
      command: `npx hilum predict ${word}/run ${word}/films/test`,
      why: "the same with this demo's synthetic films",
    },
    { command: `npx hilum inspect ${word}/run`, why: "what is in the file that was trained" },
  ];
}
