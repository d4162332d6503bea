import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejection } from "../../../test/support/rejection.ts";
import { epochOf, writeRun } from "../../../test/support/written-run.ts";
import type { RunRow } from "../../training/index.ts";
import { type Board, openBoard } from "./board.ts";

const home = mkdtempSync(join(tmpdir(), "hilum-board-"));
const folder = join(home, "runs");
let board: Board;

beforeAll(async () => {
  writeRun(join(folder, "a"), {
    model: "cnn",
    lr: 0.1,
    values: [0.6],
    time: 1000,
    isFinished: false,
  });
  writeRun(join(folder, "sweep/trials/0000"), { model: "cnn", lr: 0.1, values: [0.7], time: 2000 });
  writeFileSync(join(folder, "sweep/sweep.db"), "");
  writeRun(join(home, "secret"), { model: "cnn", lr: 0.1, values: [0.6], time: 1000 });
  board = await openBoard(folder, 0);
});
afterAll(async () => {
  await board.close();
  rmSync(home, { recursive: true, force: true });
});

const get = (path: string) => fetch(new URL(path, board.url));

describe("the board", () => {
  it("answers this machine alone", async () => {
    expect(board.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const status = await new Promise((done) => {
      const { port } = new URL(board.url);
      const options = { host: "127.0.0.1", port, headers: { host: "evil.example" } };
      request(options, ({ statusCode }) => done(statusCode)).end();
    });
    expect(status).toBe(403);
    expect((await fetch(board.url, { method: "POST" })).status).toBe(405);
  });

  it("serves its pages, which load nothing from elsewhere", async () => {
    for (const path of ["/", "/run?path=a", "/sweep?path=sweep"]) {
      const response = await get(path);
      expect(response.status, path).toBe(200);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      const text = await response.text();
      expect(text).toContain("Not for clinical use");
      expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    }
  });

  it("knows no run outside its folder, and no page that is not there", async () => {
    for (const path of [
      "/run?path=../secret",
      "/api/run?path=..%2Fsecret",
      "/run?path=none",
      "/x",
      "/sweep?path=a",
    ])
      expect((await get(path)).status, path).toBe(404);
  });

  it("escapes what folders are called", async () => {
    const name = "<img src=x onerror=alert(1)>";
    writeRun(join(folder, name), { model: "cnn", lr: 0.1, values: [], time: 1 });
    const text = await (await get(`/run?path=${encodeURIComponent(name)}`)).text();
    expect(text).not.toContain("<img src=x");
    rmSync(join(folder, name), { recursive: true });
  });

  it("tells what changed while a run trains", async () => {
    const response = await get("/api/live");
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const next = async () => {
      while (!text.includes("\n\n")) text += (await reader.read()).value ?? "";
      const [event, ...rest] = text.split("\n\n");
      text = rest.join("\n\n");
      return JSON.parse(event!.split("data: ")[1]!) as { rows: RunRow[]; sweeps: string[] };
    };
    const first = await next();
    expect(first.rows.map(({ run }) => run).sort()).toEqual(["a", "sweep/trials/0000"]);
    expect(first.sweeps).toEqual(["sweep"]);
    appendFileSync(join(folder, "a/history.jsonl"), `${JSON.stringify(epochOf(0.95, 2, 1000))}\n`);
    const second = await next();
    expect(second.rows).toMatchObject([{ run: "a", epochs: 2, value: 0.95 }]);
    await reader.cancel();
  });

  it("has no use for a port that is taken, nor for a folder that is there", async () => {
    const error = await rejection(openBoard(folder, Number(new URL(board.url).port)));
    expect(error.code).toBe("invalid-option");
    expect(error.message).toContain("EADDRINUSE");
    const empty = await openBoard(join(home, "none"), 0);
    expect(await (await fetch(new URL("/api/runs", empty.url))).json()).toEqual([]);
    mkdirSync(join(home, "none"));
    await empty.close();
  });
});
