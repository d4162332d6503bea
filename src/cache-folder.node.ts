/** Where what can be made or fetched again is kept: decoded films, published weights. */
import { homedir } from "node:os";
import { join } from "node:path";

/** `HILUM_CACHE`, else `hilum` in the user's cache folder. */
export function defaultCacheFolder(): string {
  const { HILUM_CACHE, XDG_CACHE_HOME } = process.env;
  return HILUM_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "hilum");
}
