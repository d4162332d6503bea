import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { weightOf } from "../../../test/reference/backbones/formula.ts";
import { backboneCases } from "../../../test/support/backbone-case.ts";
import { isConstantName } from "../../onnx/index.ts";
import { backboneEntry } from "../backbones/table.ts";
import { backboneGraph } from "./backbone-graph.ts";
import { readWeights } from "./read-weights.node.ts";

/** Written by test/reference/backbones/make_keras.py FOLDER: 3 GB, which no repository holds. */
const FOLDER = process.env.HILUM_KERAS_FILES ?? "";
const FORMS = [".h5", "_notop.h5", ".weights.h5", ".keras"];

describe.skipIf(!existsSync(FOLDER))(
  "networks in the files that Keras writes of them (skipped unless HILUM_KERAS_FILES names them)",
  () => {
    const names = Object.keys(backboneCases("keras.json"));
    it.each(names.flatMap((name) => FORMS.map((form) => [name, form] as const)))(
      "%s%s fits its network, every tensor in its place",
      async (name, form) => {
        const weights = await readWeights(join(FOLDER, `${name}${form}`));
        const graph = backboneGraph(backboneEntry(name), { weights });
        expect(graph.outputs).toHaveLength(form.startsWith("_notop") ? 1 : 2);
        for (const [key, { dims, data }] of graph.initializers) {
          if (isConstantName(key)) continue;
          const expected = weightOf(key, dims).data;
          expect(Buffer.compare(bytesOf(data), bytesOf(expected)), key).toBe(0);
        }
      },
    );
  },
);

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
