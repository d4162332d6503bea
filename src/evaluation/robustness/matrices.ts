/** Row-major matrices `[to, from]` that resize or blur one axis of a film. */

/**
 * Each output pixel as the mean of the input pixels that it covers; enlarging repeats pixels. Equal to
 * Pillow's BOX filter.
 */
export function boxMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  const scale = from / to;
  const width = Math.max(scale, 1);
  for (let row = 0; row < to; row++) {
    const centre = (row + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - width / 2 + 0.5));
    const end = Math.min(from, Math.floor(centre + width / 2 + 0.5));
    const covered: number[] = [];
    for (let x = first; x < end; x++) {
      const away = (x - centre + 0.5) / width;
      if (away > -0.5 && away <= 0.5) covered.push(x);
    }
    for (const x of covered) matrix[row * from + x] = 1 / covered.length;
  }
  return matrix;
}

/** `to` pixels of `size` and back, as one matrix. */
export function pixelateMatrix(size: number, to: number): Float32Array {
  const [down, up] = [boxMatrix(size, to), boxMatrix(to, size)];
  const matrix = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    for (let k = 0; k < to; k++) {
      const weight = up[row * to + k]!;
      if (weight === 0) continue;
      for (let x = 0; x < size; x++) matrix[row * size + x]! += weight * down[k * size + x]!;
    }
  return matrix;
}

/** A Gaussian of `kernel` pixels with torchvision's standard deviation for it, mirrored at the edges. */
export function blurMatrix(size: number, kernel: number): Float32Array {
  const deviation = 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8;
  const half = (kernel - 1) / 2;
  const weights = Array.from({ length: kernel }, (_, i) =>
    Math.exp(-0.5 * ((i - half) / deviation) ** 2),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  const matrix = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    weights.forEach((weight, i) => {
      const at = Math.abs(row + i - half);
      const mirrored = at < size ? at : Math.max(0, 2 * (size - 1) - at);
      matrix[row * size + mirrored]! += weight / sum;
    });
  return matrix;
}
