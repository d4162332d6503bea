/** What of the graph room needs Node: sessions and files. */
export { blockedChannels } from "./blocked.node.ts";
export { type Runnable, readModelFile, readRunnable, writeModelFile } from "./file.node.ts";
export { type Inspection, inspectModel, weightsDigest } from "./inspect.node.ts";
export {
  openSession,
  openWritingSession,
  type Session,
  type SessionOptions,
  type WritingSession,
} from "./session.node.ts";
