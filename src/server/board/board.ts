/** The board's server: reads run folders, changes nothing, and answers this machine alone. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isAbsolute, relative, resolve } from "node:path";
import { HilumError } from "../../errors.ts";
import { rowOf, runFolder } from "../../training/index.ts";
import { runPage, runsPage, sweepPage } from "./pages.ts";
import { BOARD_SCRIPT } from "./script.ts";
import { type RunWatch, watchRuns } from "./watch.ts";

export interface Board {
  readonly url: string;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const POLL_MS = 700;

/** Starts the board of the runs below a folder; port 0 takes any. Throws `invalid-option` where it is taken. */
export async function openBoard(folder: string, port: number): Promise<Board> {
  const watch = watchRuns(folder);
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) =>
    answer({ folder: resolve(folder), watch, streams }, request, response),
  );
  await new Promise<void>((done, fail) => {
    server.once("error", (cause: NodeJS.ErrnoException) => fail(portError(port, cause)));
    server.listen(port, HOST, done);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${taken}/`,
    async close() {
      for (const stream of streams) stream.end();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function portError(port: number, cause: NodeJS.ErrnoException): HilumError {
  return new HilumError(
    "invalid-option",
    `Port ${port} cannot be used (${cause.code}). Choose another: --port 0 takes any that is free.`,
    { option: "port", value: port },
    cause,
  );
}

interface Room {
  readonly folder: string;
  readonly watch: RunWatch;
  readonly streams: Set<ServerResponse>;
}

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
};

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const html = (body: string): Reply => ({ status: 200, type: "text/html", body });
const json = (value: object): Reply => ({
  status: 200,
  type: "application/json",
  body: JSON.stringify(value),
});
const refusal = (status: number, body: string): Reply => ({ status, type: "text/plain", body });

function answer(room: Room, request: IncomingMessage, response: ServerResponse): void {
  const reply = replyTo(room, request);
  if (reply === "stream") {
    stream(room, response);
    return;
  }
  const { status, type, body } = reply;
  response.writeHead(status, { ...HEADERS, "content-type": `${type}; charset=utf-8` });
  response.end(body);
}

function replyTo(
  room: Room,
  { headers, method, url: asked = "/" }: IncomingMessage,
): Reply | "stream" {
  // A page of somewhere else may let its name point here: only our own names are answered.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? ""))
    return refusal(403, "The board answers 127.0.0.1 and localhost only.");
  if (method !== "GET") return refusal(405, "The board is read only.");
  const { pathname, searchParams } = new URL(asked, `http://${HOST}`);
  if (pathname === "/") return html(runsPage(room.folder));
  if (pathname === "/board.js") return { status: 200, type: "text/javascript", body: BOARD_SCRIPT };
  // Browsers ask for it unasked.
  if (pathname === "/favicon.ico") return { status: 204, type: "image/x-icon", body: "" };
  if (pathname === "/api/runs") return json(room.watch.rows());
  if (pathname === "/api/live") return "stream";
  const path = searchParams.get("path") ?? "";
  const place = placeOf(room.folder, path);
  if (place !== undefined) {
    if (pathname === "/sweep" && isAmong(room.watch, path)) return html(sweepPage(path, place));
    const isRun = runFolder(place).state() !== "absent";
    if (isRun && pathname === "/run") return html(runPage(path));
    if (isRun && pathname === "/api/run") return json(runAnswer(room.folder, place));
  }
  return refusal(404, "There is no such page.");
}

function isAmong(watch: RunWatch, sweep: string): boolean {
  watch.rows();
  return watch.sweeps().includes(sweep);
}

function runAnswer(folder: string, place: string): object {
  const run = runFolder(place);
  const { settings } = run.config();
  return {
    row: rowOf(place, folder),
    history: run.lines("history"),
    settings,
    epochs: settings.epochs,
  };
}

/** Undefined for a path that leads out of the folder. */
function placeOf(folder: string, path: string): string | undefined {
  const place = resolve(folder, path);
  const below = relative(folder, place);
  return below.startsWith("..") || isAbsolute(below) ? undefined : place;
}

/** Server-sent events: all rows at first, then those that changed. */
function stream({ watch, streams }: Room, response: ServerResponse): void {
  response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
  streams.add(response);
  let known = -1;
  const tell = () => {
    const { version, rows } = watch.since(known);
    if (version > known || known < 0)
      response.write(`event: runs\ndata: ${JSON.stringify({ rows, sweeps: watch.sweeps() })}\n\n`);
    known = version;
  };
  tell();
  const timer = setInterval(tell, POLL_MS);
  response.on("close", () => {
    clearInterval(timer);
    streams.delete(response);
  });
}
