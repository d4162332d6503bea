import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

// The slow tests (real training, real services) are named *.slow.test.ts and run under `npm run test:all`.
const isFull = process.env.HILUM_TEST === "all";

export default defineConfig({
  // The package by its own name is its source here, as in tsconfig.json.
  resolve: {
    alias: [
      { find: /^hilum\/(\w+)\/node$/, replacement: resolve("src/$1/index.node.ts") },
      { find: /^hilum\/(\w+)$/, replacement: resolve("src/$1/index.ts") },
      { find: /^hilum$/, replacement: resolve("src/index.ts") },
    ],
  },
  test: {
    include: ["{src,test,docs}/**/*.test.ts", "bench/*.test.ts"],
    exclude: isFull ? [] : ["**/*.slow.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
