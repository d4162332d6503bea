import { openBoard } from "../../server/index.ts";
import { type CommandDefinition, number, text } from "../command.ts";

const PORT = 7070;

export const BOARD: CommandDefinition = {
  name: "board",
  summary: "Show runs and sweeps in a browser, live while they train",
  operands: [{ name: "[folder]", description: "where runs are (default: the current folder)" }],
  options: [
    {
      flags: "--port <n>",
      description: `port on this machine, 0 for any (default: ${PORT})`,
      parse: number,
    },
  ],
  notes: "\nIt answers this machine only, reads and changes nothing; Ctrl-C ends it.\n",
  examples: ["hilum board", "hilum board sweeps --port 0"],
  async run([folder], { port }, { output, signal }) {
    const board = await openBoard(text(folder) ?? ".", typeof port === "number" ? port : PORT);
    output.result({ url: board.url });
    output.print(`The board is at ${board.url} (Ctrl-C ends it)`);
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener("abort", () => done()));
    await board.close();
    return 0;
  },
};
