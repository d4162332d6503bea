/** Bytes -> one grey image, and the one definition of resizing. */

export { DEFAULT_MAX_PIXELS, type DecodeOptions, decodeImage, type GreyImage } from "./decode.ts";
export { DEFAULT_MAX_BYTES, type ReadOptions, readImage, readImageBytes } from "./file.ts";
export { detectFormat, IMAGE_FORMATS, type ImageFormat } from "./format.ts";
export { type GreyWindow, WINDOW_PERCENTILES, type WindowSetting } from "./grey.ts";
export { NORMALIZATIONS, type Normalization, normalizeImages } from "./normalization.ts";
export {
  type Fit,
  RESIZE_VERSION,
  type ResizeSetting,
  resizeImages,
  resizePlanes,
} from "./resize.ts";
