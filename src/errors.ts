/**
 * One error class and one table of codes. Messages are one line: what is wrong, with which thing,
 * then what to do. The kinds are mapped to exit codes by the command line and to HTTP statuses by
 * the server; nothing else interprets them.
 */

export const ERROR_KINDS = {
  "bad-input": { httpStatus: 400, exitCode: 2 },
  "not-found": { httpStatus: 404, exitCode: 3 },
  unsupported: { httpStatus: 422, exitCode: 4 },
  conflict: { httpStatus: 409, exitCode: 5 },
  unavailable: { httpStatus: 503, exitCode: 6 },
  internal: { httpStatus: 500, exitCode: 1 },
  interrupted: { httpStatus: 499, exitCode: 130 },
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

/** Every code, its kind and the sentence that docs/errors.md prints. Grouped by room. */
export const ERROR_CODES = {
  // general
  "internal-assertion": { kind: "internal", summary: "A Hilum invariant does not hold: our bug." },
  "invalid-option": { kind: "bad-input", summary: "An option has a value that it cannot take." },
  "unknown-command": { kind: "bad-input", summary: "The command line has no command so called." },
  "file-not-found": { kind: "not-found", summary: "A named file or folder does not exist." },
  "folder-empty": { kind: "bad-input", summary: "A folder of films to read holds no files." },
  "file-forbidden": { kind: "bad-input", summary: "A file or folder may not be read or written." },
  "disk-full": { kind: "unavailable", summary: "The disk is full or the file cannot be written." },
  "folder-locked": { kind: "conflict", summary: "Another live process works in the folder." },
  interrupted: { kind: "interrupted", summary: "The user stopped the work; state was saved." },

  // onnx
  "model-malformed": {
    kind: "bad-input",
    summary: "A file is not a well-formed ONNX model; the message names the place.",
  },
  "model-external-data": {
    kind: "bad-input",
    summary: "A model's external data is missing, too short, or outside the model's folder.",
  },
  "graph-invalid": {
    kind: "bad-input",
    summary: "A graph is inconsistent: an unknown value, a cycle, a wrong shape or type.",
  },
  "operator-unsupported": {
    kind: "unsupported",
    summary: "An operator, or one of its attributes, is not supported in this place.",
  },
  "weights-malformed": {
    kind: "bad-input",
    summary: "A weight file is truncated or inconsistent; the message names the tensor.",
  },

  // autodiff
  "no-gradient-rule": {
    kind: "unsupported",
    summary: "A gradient has to pass an operator that has no gradient rule.",
  },
  "no-trainable-parameters": {
    kind: "bad-input",
    summary: "No parameter is left to train after freezing.",
  },

  // images
  "image-empty": { kind: "bad-input", summary: "An image file has no bytes." },
  "image-unrecognised": { kind: "bad-input", summary: "A file is no image of a known format." },
  "image-unsupported": {
    kind: "unsupported",
    summary: "An image is of a kind that is not read (DICOM, TIFF, 12-bit JPEG, ...).",
  },
  "image-malformed": { kind: "bad-input", summary: "An image file is damaged or truncated." },
  "image-too-large": {
    kind: "bad-input",
    summary: "An image has more pixels, or its file more bytes, than the limit.",
  },
  "image-unreadable": {
    kind: "bad-input",
    summary: "An image file exists, but the system does not let it be read.",
  },

  // models
  "unknown-model": { kind: "not-found", summary: "No network has that name." },
  "weights-mismatch": {
    kind: "bad-input",
    summary: "A weight file does not fit the network; the first difference is named.",
  },
  "weights-unsupported": {
    kind: "unsupported",
    summary: "A weight file is of a format that is not read, such as a .pth.",
  },
  "weights-missing": {
    kind: "not-found",
    summary: "Published weights are not in the cache; the message says which file goes where.",
  },
  "weights-unverified": {
    kind: "bad-input",
    summary: "A file's digest or size is not the one that its publisher states.",
  },
  "download-failed": {
    kind: "unavailable",
    summary: "A file could not be fetched from its address; what came of it is kept.",
  },
  "unknown-layer": { kind: "not-found", summary: "A model has no value or node of that name." },
  "backbone-unsupported": {
    kind: "unsupported",
    summary:
      "An ONNX model cannot be a backbone: quantized, without an image input, of a fixed size.",
  },

  // datasets
  "dataset-empty": { kind: "bad-input", summary: "A folder holds no labelled images." },
  "dataset-one-class": { kind: "bad-input", summary: "A data set has one class only." },
  "dataset-ambiguous": {
    kind: "bad-input",
    summary: "A folder holds several data sets; one of them has to be named.",
  },
  "manifest-invalid": { kind: "bad-input", summary: "A manifest has a wrong row; it is named." },
  "split-impossible": {
    kind: "bad-input",
    summary: "There are too few patients to split into training and validation.",
  },
  "data-leak": {
    kind: "conflict",
    summary: "Patients or copies cross from training to validation (see --allow-leaks).",
  },

  // classifier
  "not-a-classifier": {
    kind: "bad-input",
    summary: "An ONNX file is no classifier that Hilum wrote, or its metadata are damaged.",
  },
  "no-heat-map": {
    kind: "unsupported",
    summary: "A network has no spatial map that a heat map could be made of.",
  },
  "models-unlike": {
    kind: "conflict",
    summary:
      "Models to average differ in network, classes, input, first weights or split of patients.",
  },
  "run-unfinished": { kind: "not-found", summary: "A run folder holds no model yet." },

  // evaluation
  "evaluation-empty": {
    kind: "bad-input",
    summary: "No readable, labelled image is left to evaluate.",
  },
  "calibration-impossible": {
    kind: "bad-input",
    summary: "A calibration cannot be fitted: one class only, or a method for two classes.",
  },
  "predictions-differ": {
    kind: "bad-input",
    summary: "Models are compared whose predictions are of other films or labels.",
  },
  "labels-differ": { kind: "bad-input", summary: "A data set has other labels than the model." },
  "split-unknown": { kind: "bad-input", summary: "A data set has no split of that name." },
  "predictions-invalid": {
    kind: "bad-input",
    summary: "A file of predictions has a wrong header or row; it is named.",
  },
  "evaluation-unfit": {
    kind: "conflict",
    summary:
      "An evaluation does not belong on a model card: it is of another model or no evaluation.",
  },
  "operating-point-refused": {
    kind: "bad-input",
    summary: "An operating point is to be chosen on the films that are evaluated.",
  },
  "probability-invalid": {
    kind: "bad-input",
    summary: "A probability is not a number from 0 to 1.",
  },

  // training
  "run-exists": { kind: "conflict", summary: "The output folder holds a run already." },
  "run-damaged": { kind: "bad-input", summary: "A run folder's files cannot be read." },
  "settings-changed": { kind: "conflict", summary: "A run is resumed with other settings." },
  "data-changed": {
    kind: "conflict",
    summary: "A run is resumed on other data, or its films are no longer where they were.",
  },
  "training-diverged": {
    kind: "bad-input",
    summary: "The loss is no longer a number; the last checkpoint is intact.",
  },
  "state-mismatch": {
    kind: "bad-input",
    summary: "Saved training state does not fit the network or the optimizer.",
  },

  // training: sweeps
  "space-invalid": {
    kind: "bad-input",
    summary: "A sweep's space has a wrong dimension; it is named.",
  },

  // datasets: the cache
  "cache-unwritable": {
    kind: "unavailable",
    summary: "The folder of the image cache cannot be made or written.",
  },
  "cache-damaged": {
    kind: "unavailable",
    summary: "A film that was in the image cache is there no longer; another run makes it anew.",
  },
} as const satisfies Record<string, { readonly kind: ErrorKind; readonly summary: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The only error that Hilum throws on purpose. `details` is data: file, field, expected, received. */
export class HilumError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "HilumError";
    this.code = code;
    this.kind = ERROR_CODES[code].kind;
    this.details = details;
  }
}

export function isHilumError(error: unknown): error is HilumError {
  return error instanceof HilumError;
}

/** Throws `internal-assertion` unless the condition holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new HilumError("internal-assertion", message);
}

/** The candidate nearest to `name` by edit distance, or undefined when none is close. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1);
    }
    previous = current;
  }
  return previous[b.length]!;
}
