import { modelPath } from "../../classifier/index.node.ts";
import { inspectModel, readModelFile } from "../../onnx/index.node.ts";
import type { CommandDefinition } from "../command.ts";
import { table } from "../table.ts";

export const INSPECT: CommandDefinition = {
  name: "inspect",
  summary: "Show what is in a model: inputs, outputs, operators, parameters, metadata",
  operands: [{ name: "<model>", description: "an .onnx file, or the folder of a run" }],
  options: [],
  examples: ["hilum inspect runs/cnn", "hilum inspect runs/cnn/model.onnx --json"],
  async run([model], _options, { output }) {
    const path = await modelPath(String(model));
    const inspection = inspectModel(await readModelFile(path));
    output.result({ model: path, ...inspection });
    const values = (list: typeof inspection.inputs) =>
      list
        .map(({ name, type, shape }) => `${name}: ${type} [${shape?.join(", ") ?? "?"}]`)
        .join("\n");
    output.print(
      table([
        ["model", path],
        ["inputs", values(inspection.inputs)],
        ["outputs", values(inspection.outputs)],
        ["parameters", inspection.parameters.toLocaleString("en")],
        [
          "operators",
          Object.entries(inspection.operators)
            .map(([name, count]) => `${name} ${count}`)
            .join(", "),
        ],
        [
          "opsets",
          Object.entries(inspection.opsets)
            .map(([name, version]) => `${name} ${version}`)
            .join(", "),
        ],
        ["producer", inspection.producer],
        ["weights", `sha256 ${inspection.weightsSha256}`],
        ...Object.entries(inspection.metadata),
      ]),
    );
    return 0;
  },
};
