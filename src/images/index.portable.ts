/** The browser-safe part of the room: resizing and normalisation as graph nodes. */
export { NORMALIZATIONS, type Normalization, normalizeImages } from "./normalization.ts";
export {
  type Fit,
  RESIZE_VERSION,
  type ResizeSetting,
  resizeImages,
  resizePlanes,
} from "./resize.ts";
