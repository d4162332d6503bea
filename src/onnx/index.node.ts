/** What of the graph room needs Node: sessions and files. */
export { type Runnable, readModelFile, readRunnable, writeModelFile } from "./file.node.ts";
export { type Inspection, inspectModel, weightsDigest } from "./inspect.node.ts";
export { openSession, type Session, type SessionOptions } from "./session.node.ts";
