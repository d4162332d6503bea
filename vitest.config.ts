import { defineConfig } from "vitest/config";

// The slow tests (real training, real services) are named *.slow.test.ts and run under `npm run test:all`.
const isFull = process.env.HILUM_TEST === "all";

export default defineConfig({
  test: {
    include: ["{src,test,docs}/**/*.test.ts", "bench/*.test.ts"],
    exclude: isFull ? [] : ["**/*.slow.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
