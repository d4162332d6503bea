import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileServer, serve } from "../../../test/support/file-server.ts";
import { rejection, thrownBy } from "../../../test/support/rejection.ts";
import { writeSafetensors } from "../../onnx/index.ts";
import { BACKBONES, backboneEntry } from "../backbones/table.ts";
import { backboneGraph } from "./backbone-graph.ts";
import { CATALOGUE, catalogueEntry } from "./catalogue.ts";
import { listBackbones } from "./listing.node.ts";
import { cachedWeights, pretrainedWeights, pullWeights } from "./pretrained.node.ts";

const SHARED = "../shared/weights/efficientnet-lite0.safetensors";
const PATIENCE = { attempts: 2, pauseMs: 1, stallMs: 1000 };

let folder: string;
let dir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hilum-pretrained-"));
  dir = join(folder, "cache");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Weights of the backbone's own shapes, as a safetensors file. */
function fitting(backbone: string): string {
  const graph = backboneGraph(backboneEntry(backbone));
  const tensors = new Map(
    [...graph.initializers].filter(([name]) => !/(^|\/)constant(_\d+)?$/.test(name)),
  );
  const path = join(folder, `mine-${backbone}.safetensors`);
  writeFileSync(path, writeSafetensors({ tensors, metadata: {} }));
  return path;
}

describe("the catalogue of weights", () => {
  it("has one entry for every backbone", () => {
    expect(CATALOGUE.map(({ backbone }) => backbone).sort()).toEqual(
      BACKBONES.map(({ name }) => name).sort(),
    );
  });

  it.each(CATALOGUE)("says of $backbone where the weights come from and who says so", (entry) => {
    expect(entry.cited).toMatch(/^[\w-]+ \d+\.\d+\.\d+, /);
    expect(entry.licence).toMatch(/^(Apache-2\.0|BSD-3-Clause)$/);
    expect(entry.files.length > 0 || entry.converted).toBeTruthy();
    for (const { name, url, digest } of entry.files) {
      expect(url).toMatch(/^https:\/\//);
      expect(url.endsWith(`/${name}`)).toBe(true);
      const lengths = digest.algorithm === "md5" ? [32] : [8, 64];
      expect(lengths).toContain(digest.value.length);
      expect(digest.value).toMatch(/^[0-9a-f]+$/);
    }
    expect(entry.converted?.how ?? "python").toMatch(/^python -c "[^"\n]+"$|^python$/);
  });
});

describe("pullWeights", () => {
  it("fetches from a mirror, under the publisher's name, and refuses what is not the file", async () => {
    const { files } = catalogueEntry("xception");
    const wrong = Uint8Array.of(1, 2, 3);
    const server = await fileServer(serve(wrong));
    try {
      const mirror = new URL(".", server.url).href;
      const error = await rejection(pullWeights("xception", { dir, mirror, patience: PATIENCE }));
      expect(error).toMatchObject({
        code: "weights-unverified",
        details: {
          url: `${mirror}${files[0]!.name}`,
          expected: files[0]!.digest.value,
          found: createHash("md5").update(wrong).digest("hex"),
        },
      });
      expect(readdirSync(dir)).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it("says without a connection which file goes where", async () => {
    const { url, close } = await fileServer(serve(Uint8Array.of(1)));
    await close();
    const mirror = `${url}/`;
    const error = await rejection(
      pullWeights("vgg19", { dir, mirror, withTop: true, patience: PATIENCE }),
    );
    expect(error).toMatchObject({ code: "download-failed", kind: "unavailable" });
    const file = "vgg19_weights_tf_dim_ordering_tf_kernels.h5";
    expect(error.message).toContain(`put it at ${join(dir, file)}`);
    expect(error.message).toContain("MD5 cbe5617147190e668d6c5d5026f83318");
  });

  it("says how to make a file that is not fetched", async () => {
    const error = await rejection(pullWeights("vit-tiny", { dir }));
    expect(error).toMatchObject({ code: "weights-missing", kind: "not-found" });
    expect(error.message).toMatch(/Bring your own file: it is read from \S+ and made by: cd '/);
    expect(error.details.conversion).toMatch(/^cd '.*' && python -c "import timm; /);
  });

  it("takes a local file that fits, and finds it afterwards", async () => {
    const file = fitting("mobilenet-v2");
    const pulled = await pullWeights("mobilenet-v2", { dir, file });
    expect(pulled).toMatchObject({ from: file, isVerified: false, conversion: null });
    expect(pretrainedWeights("mobilenet-v2", { dir })).toBe(pulled.path);
    expect(readdirSync(dir)).toEqual(["mobilenet_v2-7ebf99e0.safetensors"]);
    expect(await pullWeights("mobilenet-v2", { dir })).toMatchObject({ from: "cache" });
    const listed = listBackbones({ dir }).filter(({ cached }) => cached);
    expect(listed.map(({ name, cached }) => [name, cached])).toEqual([
      ["mobilenet-v2", pulled.path],
    ]);
  });

  it("refuses a local file of another network, or that is not the publisher's", async () => {
    const file = fitting("mobilenet-v2");
    expect(await rejection(pullWeights("resnet18", { dir, file }))).toMatchObject({
      code: "weights-mismatch",
    });
    const error = await rejection(pullWeights("xception", { dir, file }));
    expect(error.code).toBe("weights-unverified");
    expect(error.message).toContain(`--weights ${file}`);
    expect(await rejection(pullWeights("xception", { dir, file: "nowhere" }))).toMatchObject({
      code: "file-not-found",
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  it.skipIf(!existsSync(SHARED))(
    "knows the converted file that its line always makes",
    async () => {
      const pulled = await pullWeights("efficientnet-lite0", { dir, file: SHARED });
      expect(pulled).toMatchObject({ isVerified: true, conversion: null });
      expect(cachedWeights(catalogueEntry("efficientnet-lite0"), dir)).toBe(pulled.path);
      expect(await pullWeights("efficientnet-lite0", { dir })).toMatchObject({ isVerified: true });
    },
  );
});

describe("pretrainedWeights", () => {
  it("says what to run, and without a connection which file goes where", async () => {
    const error = thrownBy(() => pretrainedWeights("xception", { dir }));
    expect(error).toMatchObject({ code: "weights-missing", kind: "not-found" });
    const file = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5";
    expect(error.message).toContain("Run: hilum backbones pull xception.");
    expect(error.message).toContain(`put ${file} (MD5 b0042744bf5b25fce3cb969f33bebb97)`);
    expect(error.message).toContain(`at ${join(dir, file)}`);
    const whole = thrownBy(() => pretrainedWeights("xception", { dir, withTop: true }));
    expect(whole.message).toContain("hilum backbones pull xception --with-top");
    expect(whole.message).toContain("kernels.h5 (MD5 0a58e3b7378bc2990ea3b43d5981f1f6)");
    const torch = thrownBy(() => pretrainedWeights("resnet18", { dir }));
    expect(torch.message).toContain("resnet18-f37072fd.pth (SHA-256 f37072fd...)");
    expect(torch.message).toContain(`cd '${dir}' && python -c "`);
  });

  it("refuses a cached file that is not its publisher's", async () => {
    const file = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5";
    copyFileSync(fitting("resnet18"), join(folder, file));
    expect(thrownBy(() => pretrainedWeights("xception", { dir: folder }))).toMatchObject({
      code: "weights-unverified",
      details: { path: join(folder, file), field: "md5" },
    });
  });

  it("refuses a name that no backbone has", async () => {
    expect(thrownBy(() => pretrainedWeights("xceptoin", { dir }))).toMatchObject({
      code: "unknown-model",
      details: { suggestion: "xception" },
    });
  });
});
