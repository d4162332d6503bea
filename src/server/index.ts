/** The board: runs and sweeps in a browser. */
export { type Board, openBoard } from "./board/board.ts";
