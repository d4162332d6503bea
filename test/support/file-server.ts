/** A real HTTP server of one file, which can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FileServer {
  readonly url: string;
  /** What was asked for so far: the range, or "all". */
  readonly requests: readonly string[];
  /** Cuts every open connection. */
  cut(): void;
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, turn: number) => void;

/** `answer` gets each request with its number from 0. */
export async function fileServer(answer: Answer): Promise<FileServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers.range ?? "all");
    answer(request, response, requests.length - 1);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/weights.h5`,
    requests,
    cut: () => server.closeAllConnections(),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Answers as a sound server does, ranges included, but sends no more than `upTo` bytes and then holds. */
export function serve(
  contents: Uint8Array,
  { upTo = Number.POSITIVE_INFINITY }: { upTo?: number } = {},
): Answer {
  return (request, response) => {
    const start = Number(request.headers.range?.match(/bytes=(\d+)-/)?.[1] ?? 0);
    const total = contents.length;
    if (start >= total && start > 0) {
      response.writeHead(416, { "content-range": `bytes */${total}` }).end();
      return;
    }
    const rest = contents.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 ? { "content-range": `bytes ${start}-${total - 1}/${total}` } : {}),
    });
    if (rest.length <= upTo) response.end(rest);
    else response.write(rest.subarray(0, upTo));
  };
}
