import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    "onnx/index": "src/onnx/index.ts",
    "onnx/index.node": "src/onnx/index.node.ts",
    "autodiff/index": "src/autodiff/index.ts",
    "models/index": "src/models/index.ts",
    "images/index": "src/images/index.ts",
    "datasets/index": "src/datasets/index.ts",
    "classifier/index": "src/classifier/index.ts",
    "classifier/index.node": "src/classifier/index.node.ts",
    "evaluation/index": "src/evaluation/index.ts",
    "training/index": "src/training/index.ts",
    "cli/main": "src/cli/main.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20",
  dts: false,
  clean: true,
  fixedExtension: false,
});
