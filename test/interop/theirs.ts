/** What other tools wrote, read by Hilum. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadClassifier } from "../../src/classifier/index.node.ts";
import { readModelFile, weightsDigest, writeModelFile } from "../../src/onnx/index.node.ts";
import { readSafetensors, tensorBytes } from "../../src/onnx/index.ts";
import type { Cases } from "./ours.ts";
import type { Row } from "./row.ts";

export async function checkTheirs(work: string, cases: Cases): Promise<Row[]> {
  const rows: Row[] = [];
  for (const model of cases.models) rows.push(...(await checkModel(work, model)));
  rows.push(checkTensors(join(work, "theirs")));
  return rows;
}

/** Our model as onnx wrote it, its weights outside, and what is left of it when we write it again. */
async function checkModel(
  work: string,
  { path, batches }: Cases["models"][number],
): Promise<Row[]> {
  const theirs = join(work, "theirs", path.replaceAll("/", "-"));
  const [before, after] = [await readModelFile(join(work, path)), await readModelFile(theirs)];
  const isSame =
    weightsDigest(before.graph) === weightsDigest(after.graph) &&
    JSON.stringify([...before.metadata]) === JSON.stringify([...after.metadata]) &&
    before.graph.nodes.length === after.graph.nodes.length;
  const again = `${theirs}.again.onnx`;
  writeModelFile(again, after);
  await using classifier = await loadClassifier(again);
  const { film, shape, probabilities } = batches.at(-2)!;
  const [count, height, width] = shape;
  const bytes = Uint8Array.from(readFileSync(join(work, film)));
  const source = { format: "raw", bitsPerSample: 8, window: null } as const;
  const films = Array.from({ length: count }, (_, index) => ({
    height,
    width,
    source,
    pixels: bytes.subarray(index * height * width, (index + 1) * height * width),
  }));
  const found = await classifier.probabilities(films);
  const differences = found.flatMap((row, n) =>
    Array.from(row, (p, k) => Math.abs(p - probabilities[n]![k]!)),
  );
  return [
    {
      check: "hilum: reads onnx's external data",
      subject: path,
      measured: Number(!isSame),
      limit: 0,
    },
    {
      check: "hilum: largest difference after all round trips",
      subject: path,
      measured: Math.max(...differences),
      limit: 1e-6,
    },
  ];
}

function checkTensors(folder: string): Row {
  const file = join(folder, "tensors.safetensors");
  const { tensors, metadata } = readSafetensors(Uint8Array.from(readFileSync(file)), file);
  const expected = JSON.parse(readFileSync(join(folder, "tensors.json"), "utf8")) as Readonly<
    Record<string, { type: string; dims: readonly number[]; hex: string }>
  >;
  const different = Object.entries(expected).filter(([name, { type, dims, hex }]) => {
    const found = tensors.get(name);
    return !(
      found?.type === type &&
      `${found.dims}` === `${dims}` &&
      Buffer.from(tensorBytes(found)).toString("hex") === hex
    );
  });
  const extra =
    tensors.size - Object.keys(expected).length + Number(metadata.origin !== "elsewhere");
  return {
    check: "hilum: safetensors' tensors that differ",
    subject: "theirs/tensors.safetensors",
    measured: different.length + extra,
    limit: 0,
  };
}
