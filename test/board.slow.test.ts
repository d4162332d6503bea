/** The board in Chromium: a thousand runs, and curves that grow while a run trains. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Board, openBoard } from "../src/server/index.ts";
import { tune } from "../src/training/index.ts";
import { CHROMIUM, noBrowser } from "./support/browser-model.ts";
import { phantomFolder } from "./support/phantom-folder.ts";
import { writeRun } from "./support/written-run.ts";

if (noBrowser) console.warn(`The browser is not tried: ${noBrowser}.`);

const COUNT = 1000;
const folder = mkdtempSync(join(tmpdir(), "hilum-board-"));

describe.skipIf(noBrowser)("the board in Chromium", () => {
  let board: Board;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  beforeAll(async () => {
    for (let n = 0; n < COUNT; n++)
      writeRun(join(folder, `runs/run-${String(n).padStart(4, "0")}`), {
        model: n % 2 === 0 ? "cnn" : "plain",
        lr: 0.1,
        values: [0.5, 0.5 + n / (2 * COUNT)],
        time: 1000 + n,
      });
    board = await openBoard(folder, 0);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
  });
  afterAll(async () => {
    await browser?.close();
    await board?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists a thousand runs, sorts and filters them", async () => {
    await page.goto(board.url);
    await page.getByText(`${COUNT} of ${COUNT} runs`).waitFor();
    const first = () => page.locator("#rows tr").first().innerText();
    expect(await first()).toContain("run-0999");
    await page.getByRole("button", { name: "value" }).click();
    await page.getByRole("button", { name: "value" }).click();
    expect(await first()).toContain("run-0000");
    await page.locator("#filter").fill("plain run-000");
    await page.getByText(`5 of ${COUNT} runs`).waitFor();
  });

  it("draws a run's curves, and goes on while it trains", async () => {
    const { films, cacheFolder } = await phantomFolder({ count: 40, size: 32, seed: 4 });
    let isBegun: () => void = () => undefined;
    const begun = new Promise<void>((done) => {
      isBegun = done;
    });
    const sweep = tune(
      films,
      {
        train: { width: 0.1, size: 16, epochs: 4, threads: 1, valFraction: 0.3 },
        budget: { trials: 3 },
      },
      {
        out: join(folder, "sweep"),
        cacheFolder,
        onEvent(event) {
          if (event.kind === "training" && event.event.kind === "epoch") isBegun();
        },
      },
    );
    await begun;
    await page.goto(new URL("/run?path=sweep%2Ftrials%2F0000", board.url).href);
    await page.getByText("4 of 4 epochs").waitFor();
    await page.getByText("finished").waitFor();
    expect(await page.locator("#curves figure").count()).toBe(3);
    expect(await page.locator("#curves circle.s0").count()).toBe(12);
    await sweep;
    await page.goto(new URL("/sweep?path=sweep", board.url).href);
    await page.getByText("Optimisation history").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(3);
    await page.goto(board.url);
    await page.getByRole("link", { name: "sweep", exact: true }).waitFor();
    expect(problems).toEqual([]);
  });
});
