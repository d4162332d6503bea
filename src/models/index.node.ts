/** What of the models room needs Node: weight files. */
export { readWeights } from "./weights/read-weights.node.ts";
