/** What of the graph room needs Node: sessions and files. */
export { openSession, type Session, type SessionOptions } from "./session.node.ts";
