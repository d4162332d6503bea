/** A model in headless Chromium: onnxruntime-web with threads, all served from this machine. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { WebModel } from "./web-runtime.ts";

export const CHROMIUM = "/usr/bin/chromium";
const RUNTIME = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/wasm")));

/** Why no browser can be tried here; undefined where one can. */
export const noBrowser: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `there is no ${CHROMIUM}: install Debian's package chromium`;

/** Defines `probabilities(count, height, width, pixels in base 64)` for the page. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>model.onnx</title><script type="module">
import { env, InferenceSession, Tensor } from "/runtime/ort.wasm.min.mjs";
env.wasm.numThreads = 2;
const session = await InferenceSession.create("/model.onnx", { executionProviders: ["wasm"] });
globalThis.probabilities = async (count, height, width, text) => {
  const pixels = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const images = new Tensor("uint8", pixels, [count, height, width]);
  return Array.from((await session.run({ images })).probabilities.data);
};
</script>`;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  mjs: "text/javascript",
  wasm: "application/wasm",
  onnx: "application/octet-stream",
};

/** The page, the model and the runtime's files; isolated, so that the page may share memory. */
async function serve(model: Uint8Array): Promise<Server> {
  const answer = (response: ServerResponse, path: string, body: string | Uint8Array) => {
    response.writeHead(200, {
      "content-type": TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(body);
  };
  const server = createServer(({ url = "/" }, response) => {
    const file = /^\/runtime\/([\w.-]+)$/.exec(url)?.[1];
    if (url === "/") answer(response, "index.html", PAGE);
    else if (url === "/model.onnx") answer(response, url, model);
    else if (file && existsSync(join(RUNTIME, file)))
      answer(response, file, readFileSync(join(RUNTIME, file)));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export interface BrowserModel extends Omit<WebModel, "output"> {
  readonly isIsolated: boolean;
}

export async function openBrowserModel(bytes: Uint8Array): Promise<BrowserModel> {
  const server = await serve(bytes);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  const close = async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(90_000);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("globalThis.probabilities").catch((cause: unknown) => {
      throw new Error(`The page did not load the model: ${problems.join("; ")}`, { cause });
    });
    return {
      isIsolated: Boolean(await page.evaluate("globalThis.crossOriginIsolated")),
      async probabilities(films) {
        const { width, height } = films[0]!;
        const pixels = Buffer.concat(films.map((film) => film.pixels)).toString("base64");
        const call = `probabilities(${films.length}, ${height}, ${width}, "${pixels}")`;
        return (await page.evaluate(call)) as number[];
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
