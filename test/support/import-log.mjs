/** Preloaded by `node --import`, says on standard error which packages are imported. */
import { writeSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  if (/^[@a-z][^:]*$/.test(specifier)) writeSync(2, `import ${specifier}\n`);
  return next(specifier, context);
}
