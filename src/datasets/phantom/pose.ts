/** How a child lies before the detector: from pixels to body coordinates and back. */
import type { RandomStream } from "../../random.ts";

export interface Pose {
  readonly toBody: (column: number, row: number) => readonly [x: number, y: number];
  readonly toFilm: (x: number, y: number) => readonly [column: number, row: number];
  /** Pixels to one unit of the body. */
  readonly scale: number;
  /** The steps in body coordinates from a pixel to its right neighbour and to the one below. */
  readonly across: readonly [number, number];
  readonly down: readonly [number, number];
}

/** A pose drawn from the stream, for a film of that many pixels. */
export function drawPose(random: RandomStream, width: number, height: number): Pose {
  const angle = random.between(-0.12, 0.12);
  const scale = Math.min(width, height) * random.between(0.46, 0.58);
  const stretch = random.between(0.92, 1.08);
  const centreX = width * random.between(0.45, 0.55);
  const centreY = height * random.between(0.45, 0.55);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return {
    scale,
    toBody: (column, row) => {
      const dx = (column - centreX) / scale;
      const dy = (row - centreY) / scale;
      return [(cos * dx + sin * dy) * stretch, cos * dy - sin * dx];
    },
    toFilm: (x, y) => {
      const u = x / stretch;
      return [centreX + scale * (cos * u - sin * y), centreY + scale * (sin * u + cos * y)];
    },
    across: [(cos * stretch) / scale, -sin / scale],
    down: [(sin * stretch) / scale, cos / scale],
  };
}
