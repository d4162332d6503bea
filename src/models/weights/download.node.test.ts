import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Answer,
  type FileServer,
  fileServer,
  serve,
} from "../../../test/support/file-server.ts";
import { rejection } from "../../../test/support/rejection.ts";
import { randomStream } from "../../random.ts";
import { type DownloadOptions, download } from "./download.node.ts";

const random = randomStream(1, "file");
const CONTENTS = Uint8Array.from({ length: 300_000 }, () => random.integer(256));
const OTHER = CONTENTS.map((byte) => byte ^ 1);
const hashOf = (algorithm: string, bytes = CONTENTS) =>
  createHash(algorithm).update(bytes).digest("hex");
const PATIENCE = { attempts: 3, pauseMs: 1, stallMs: 400 };

let path: string;
let server: FileServer;
const children: ChildProcess[] = [];

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "hilum-download-")), "weights.h5");
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await server?.close();
  rmSync(dirname(path), { recursive: true, force: true });
});

async function from(answer: Answer, options: Partial<DownloadOptions> = {}): Promise<void> {
  server = await fileServer(answer);
  await download({
    url: server.url,
    path,
    bytes: CONTENTS.length,
    digest: { algorithm: "md5", value: hashOf("md5") },
    patience: PATIENCE,
    ...options,
  });
}

/** The turns one after another, the last for all that follow. */
const inTurn =
  (...answers: readonly Answer[]): Answer =>
  (request, response, turn) =>
    answers[Math.min(turn, answers.length - 1)]!(request, response, turn);

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end("no file");
  };

/** Nothing but the file, or nothing at all, lies in the folder. */
function expectWhole(): void {
  expect(readFileSync(path).equals(CONTENTS)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual(["weights.h5"]);
}

/** Cuts the connection when bytes have come: the first so many times. */
function cutting(times: number): (progress: { done: number }) => void {
  let best = 0;
  let left = times;
  return ({ done }) => {
    if (done <= best || left === 0) return;
    best = done;
    left--;
    server.cut();
  };
}

const partBytes = () =>
  statSync(join(`${path}.partial`, "data"), { throwIfNoEntry: false })?.size ?? 0;

describe("download", () => {
  it("puts the file in place and tells its progress", async () => {
    const seen: { done: number; total: number | null }[] = [];
    await from(serve(CONTENTS), { onProgress: (progress) => seen.push(progress) });
    expectWhole();
    expect(seen[0]).toEqual({ done: 0, total: CONTENTS.length });
    expect(seen.at(-1)).toEqual({ done: CONTENTS.length, total: CONTENTS.length });
  });

  it.each([
    { algorithm: "md5", value: hashOf("md5") },
    { algorithm: "sha256", value: hashOf("sha256") },
    { algorithm: "sha256", value: hashOf("sha256").slice(0, 8) },
  ] as const)("verifies $algorithm $value, with or without a stated size", async (digest) => {
    await from(serve(CONTENTS), { digest, bytes: null });
    expectWhole();
    await server.close();
    rmSync(path);
    const error = await rejection(from(serve(OTHER), { digest, bytes: null }));
    expect(error).toMatchObject({
      code: "weights-unverified",
      details: {
        field: digest.algorithm,
        expected: digest.value,
        found: hashOf(digest.algorithm, OTHER),
      },
    });
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it("asks for nothing where the file is there, and replaces a damaged one", async () => {
    writeFileSync(path, CONTENTS);
    await from(status(500));
    expect(server.requests).toEqual([]);
    await server.close();
    writeFileSync(path, OTHER);
    await from(serve(CONTENTS));
    expectWhole();
  });

  it("goes on where a connection was cut, as often as it gets further", async () => {
    await from(serve(CONTENTS, { upTo: 40_000 }), {
      onProgress: cutting(Number.POSITIVE_INFINITY),
    });
    expectWhole();
    expect(server.requests.length).toBeGreaterThan(4);
    expect(server.requests[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it("gives up where no attempt gets further, keeps what came, and goes on from there", async () => {
    const cut = inTurn(serve(CONTENTS, { upTo: 100_000 }), status(503));
    const error = await rejection(from(cut, { onProgress: cutting(1) }));
    expect(error).toMatchObject({ code: "download-failed", kind: "unavailable" });
    expect(error.message).toContain("503");
    const kept = partBytes();
    expect(kept).toBeGreaterThan(0);
    expect(error.details.bytesKept).toBe(kept);
    expect(existsSync(path)).toBe(false);
    await server.close();
    await from(serve(CONTENTS));
    expect(server.requests).toEqual([`bytes=${kept}-`]);
    expectWhole();
  });

  it("starts anew where the server ignores the range", async () => {
    const cut = serve(CONTENTS, { upTo: 100_000 });
    const whole: Answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENTS.length }).end(CONTENTS);
    };
    await from(inTurn(cut, whole), { onProgress: cutting(1) });
    expectWhole();
    expect(server.requests.length).toBe(2);
  });

  it("starts anew where the server sends another range", async () => {
    const other: Answer = (_request, response) => {
      const headers = { "content-range": `bytes 5-${CONTENTS.length - 1}/${CONTENTS.length}` };
      response.writeHead(206, headers).end(CONTENTS.subarray(5));
    };
    const cut = serve(CONTENTS, { upTo: 50_000 });
    await from(inTurn(cut, other, serve(CONTENTS)), { onProgress: cutting(1) });
    expectWhole();
    expect(server.requests.at(-1)).toBe("all");
  });

  it("starts anew where the kept beginning is of another file", async () => {
    mkdirSync(`${path}.partial`);
    writeFileSync(join(`${path}.partial`, "data"), OTHER.subarray(0, 1000));
    await from(serve(CONTENTS));
    expect(server.requests).toEqual(["bytes=1000-", "all"]);
    expectWhole();
  });

  it.each([CONTENTS.length, CONTENTS.length + 10])(
    "takes up a part of %i bytes, to which no range is left",
    async (length) => {
      mkdirSync(`${path}.partial`);
      const part = new Uint8Array(length);
      part.set(CONTENTS);
      writeFileSync(join(`${path}.partial`, "data"), part);
      await from(serve(CONTENTS));
      expectWhole();
    },
  );

  it.each([
    { lie: "too long", length: CONTENTS.length + 1000 },
    { lie: "too short", length: CONTENTS.length - 1000 },
  ])("does not believe a length that is $lie", async ({ length }) => {
    const lying: Answer = (_request, response) => {
      response.strictContentLength = false;
      response.writeHead(200, { "content-length": length });
      response.write(CONTENTS.subarray(0, length), () => response.destroy());
    };
    await from(inTurn(lying, serve(CONTENTS)));
    expectWhole();
    await server.close();
    rmSync(path);
    // Where the publisher states no size, the digest tells.
    const outcome = from(lying, { bytes: null });
    expect(["download-failed", "weights-unverified"]).toContain((await rejection(outcome)).code);
    expect(existsSync(path)).toBe(false);
  });

  it("stops a server that sends more than the publisher states", async () => {
    const endless: Answer = (_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(CONTENTS));
      };
      response.on("drain", more);
      more();
    };
    expect(await rejection(from(endless))).toMatchObject({
      code: "weights-unverified",
      details: { field: "bytes", expected: CONTENTS.length },
    });
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it("throws wrong bytes away", async () => {
    const error = await rejection(from(serve(OTHER)));
    expect(error).toMatchObject({ code: "weights-unverified", kind: "bad-input" });
    expect(error.message).toContain(`has MD5 ${hashOf("md5", OTHER)}, not ${hashOf("md5")}`);
    expect(server.requests).toEqual(["all"]);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it("does not ask again for what is not there", async () => {
    const error = await rejection(from(status(404)));
    expect(error).toMatchObject({ code: "download-failed", details: { status: 404 } });
    expect(server.requests).toEqual(["all"]);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it("waits for a busy server, as long as it says", async () => {
    await from(inTurn(status(503, { "retry-after": "0" }), status(429), serve(CONTENTS)));
    expectWhole();
  });

  it("lets go of a connection on which nothing comes", async () => {
    const silent: Answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENTS.length });
      response.write(CONTENTS.subarray(0, 1000));
    };
    await from(inTurn(silent, serve(CONTENTS)));
    expect(server.requests).toEqual(["all", "bytes=1000-"]);
    expectWhole();
  });

  it("says that nobody answers at the address", async () => {
    const { url, close } = await fileServer(serve(CONTENTS));
    await close();
    const error = await rejection(from(serve(CONTENTS), { url }));
    expect(error.message).toMatch(/could not be fetched: ECONNREFUSED \(3 attempts\)/);
  });

  it("stops when it is told to, and keeps what came", async () => {
    const stop = new AbortController();
    const slow: Answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENTS.length });
      response.write(CONTENTS.subarray(0, 5000));
    };
    const onProgress = ({ done }: { done: number }) => {
      if (done > 0) stop.abort();
    };
    const error = await rejection(from(slow, { signal: stop.signal, onProgress }));
    expect(error.code).toBe("interrupted");
    expect(partBytes()).toBe(5000);
  });
});

function child(url: string): { process: ChildProcess; ended: Promise<string> } {
  const words = [url, path, String(CONTENTS.length), hashOf("sha256")];
  const process = spawn(
    globalThis.process.execPath,
    ["--import", "tsx", "test/support/download-child.ts", ...words],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(process);
  let text = "";
  process.stdout!.on("data", (chunk) => {
    text += chunk;
  });
  return { process, ended: new Promise((done) => process.on("close", () => done(text))) };
}

describe("download by several processes", () => {
  it("is resumed by the next one after a kill -9", async () => {
    const HELD = 120_000;
    const held: Answer = (_request, response) => {
      response.writeHead(200, { "content-length": CONTENTS.length });
      response.write(CONTENTS.subarray(0, HELD));
    };
    server = await fileServer(inTurn(held, serve(CONTENTS)));
    const first = child(server.url);
    await new Promise<void>((done) => {
      first.process.stdout!.on("data", () => partBytes() === HELD && done());
    });
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(path)).toBe(false);
    expect(await child(server.url).ended).toMatch(/done\n$/);
    expect(server.requests).toEqual(["all", `bytes=${HELD}-`]);
    expectWhole();
  });

  it("fetches once, and the other waits and finds the file", async () => {
    const asked: ServerResponse[] = [];
    let tell = () => {};
    const isAsked = new Promise<void>((done) => {
      tell = done;
    });
    server = await fileServer((_request, response) => {
      response.writeHead(200, { "content-length": CONTENTS.length });
      asked.push(response);
      tell();
    });
    const both = [child(server.url), child(server.url)];
    const isWaiting = new Promise<void>((done) => {
      for (const { process } of both)
        process.stdout!.on("data", (chunk) => String(chunk).includes("waits for") && done());
    });
    await Promise.all([isAsked, isWaiting]);
    for (const response of asked) response.end(CONTENTS);
    const texts = await Promise.all(both.map(({ ended }) => ended));
    for (const text of texts) expect(text).toMatch(/done\n$/);
    expect(server.requests).toEqual(["all"]);
    expectWhole();
  });
});
