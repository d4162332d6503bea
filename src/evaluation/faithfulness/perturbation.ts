/**
 * Deletion, insertion and exchange: what a classifier says of a film as the pixels that an explanation names
 * first are taken away, or given back to a blurred film (Petsiuk, Das and Saenko 2018, "RISE", section
 * 4.3), or exchanged for those of a film that is called otherwise: a flat or a blurred film may be
 * called the class as well, and then tells no maps apart. All of it happens in the picture that the
 * network sees (resized and normalised): a film that is normalised anew would change everywhere.
 */
import type { PictureReader } from "../../classifier/index.node.ts";
import type { RandomStream } from "../../random.ts";

/** Equal shares in which the pixels go. */
export const STEPS = 16;
/** Standard deviation of the blur as a share of the picture's side: 14 pixels of 224. */
const BLUR = 1 / 16;
/** Where the blur's kernel ends, in standard deviations. */
const BLUR_ENDS = 3;
/** Pictures that go through the network at once. */
const BATCH = 16;

/** Places by falling value; those of equal value in an order drawn by chance. */
export function fallingOrder(values: ArrayLike<number>, random: RandomStream): Uint32Array {
  const chance = Float64Array.from({ length: values.length }, () => random.uniform());
  const order = Uint32Array.from({ length: values.length }, (_, place) => place);
  return order.sort((a, b) => values[b]! - values[a]! || chance[a]! - chance[b]!);
}

/** A control that knows nothing of the film: highest in the middle, falling to the corners. */
export function centreMap(side: number): Float32Array {
  const middle = (side - 1) / 2;
  return Float32Array.from({ length: side * side }, (_, at) => {
    const [x, y] = [(at % side) - middle, Math.floor(at / side) - middle];
    return -(x * x + y * y);
  });
}

/** What deletion leaves: the picture's mean everywhere. */
export function flatPicture(picture: Float32Array): Float32Array {
  const sum = picture.reduce((total, value) => total + value, 0);
  return new Float32Array(picture.length).fill(sum / picture.length);
}

/** What insertion begins with: the picture under a Gaussian, its edges repeated. */
export function blurredPicture(picture: Float32Array, side: number): Float32Array {
  const deviation = side * BLUR;
  const reach = Math.floor(BLUR_ENDS * deviation + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const kernel = weights.map((weight) => weight / total);
  /** Along rows with a step of 1, along columns with one of a row. */
  const along = (values: Float32Array, step: number) =>
    values.map((_, at) => {
      const place = Math.floor(at / step) % side;
      let sum = 0;
      for (let i = -reach; i <= reach; i++) {
        const other = Math.min(side - 1, Math.max(0, place + i));
        sum += kernel[i + reach]! * values[at + (other - place) * step]!;
      }
      return sum;
    });
  return along(along(picture, 1), side);
}

export interface Perturbation {
  /** Pictures as the network sees them. */
  readonly from: Float32Array;
  readonly to: Float32Array;
  /** The pixels in the order in which they change from one to the other. */
  readonly order: Uint32Array;
  /** Whose probability is followed. */
  readonly column: number;
  readonly steps?: number | undefined;
}

/** The probability at each step from the first picture to the second, both ends included. */
export async function probabilitiesAlong(
  reader: Pick<PictureReader, "probabilities">,
  { from, to, order, column, steps = STEPS }: Perturbation,
): Promise<number[]> {
  const picture = from.slice();
  const found: number[] = [];
  let changed = 0;
  for (let start = 0; start <= steps; start += BATCH) {
    const count = Math.min(BATCH, steps + 1 - start);
    const pictures = new Float32Array(count * picture.length);
    for (let i = 0; i < count; i++) {
      const end = Math.round(((start + i) * order.length) / steps);
      for (; changed < end; changed++) picture[order[changed]!] = to[order[changed]!]!;
      pictures.set(picture, i * picture.length);
    }
    const rows = await reader.probabilities(pictures);
    found.push(...rows.map((row) => row[column]!));
  }
  return found;
}

/** The area under a curve over the share of pixels, by trapezoids: 0 to 1 for probabilities. */
export function areaUnder(curve: readonly number[]): number {
  const inner = curve.slice(1, -1).reduce((sum, value) => sum + value, 0);
  return (inner + (curve[0]! + curve.at(-1)!) / 2) / (curve.length - 1);
}
