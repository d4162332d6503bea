/** The model that comes with the package. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HilumError } from "../errors.ts";

/** What it is called wherever a model is named. */
export const SHIPPED_MODEL = "pneumonia";

/**
 * The path of the model that comes with the package; `HILUM_MODEL` names another in its place.
 * Throws `file-not-found` where it is not there.
 */
export function shippedModel(): string {
  const path = process.env.HILUM_MODEL || join(packageFolder(), "models", `${SHIPPED_MODEL}.onnx`);
  if (existsSync(path)) return path;
  throw new HilumError(
    "file-not-found",
    `The shipped model is not here: there is no ${path}. Name a run folder or an .onnx file, or train a model with: hilum train DIR --out runs/NAME`,
    { path },
  );
}

/** The nearest folder above with a package.json: source and build lie at different depths. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder)
    folder = dirname(folder);
  return folder;
}
