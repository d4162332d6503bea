/** Images by our own code that are no films: what no folder of pictures need hold. */
import { type RandomStream, randomStream } from "../../random.ts";

type Painter = (random: RandomStream) => (x: number, y: number) => number;

/** Kinds of drawing: grey levels by position, 0 to 1 across the image. */
const PAINTERS: Readonly<Record<string, Painter>> = {
  noise: (random) => () => 255 * random.uniform(),
  "soft-noise": (random) => {
    const waves = wavesOf(random, 12, 14);
    return (x, y) => 127 + 45 * waves(x, y);
  },
  gradient: (random) => {
    const angle = random.between(0, 2 * Math.PI);
    return (x, y) => 127 + 160 * ((x - 0.5) * Math.cos(angle) + (y - 0.5) * Math.sin(angle));
  },
  checkers: (random) => {
    const [n, m] = [random.between(2, 20), random.between(2, 20)];
    const [a, b] = [random.between(0, 90), random.between(140, 255)];
    return (x, y) => ((Math.floor(x * n) + Math.floor(y * m)) % 2 === 0 ? a : b);
  },
  stripes: (random) => {
    const [fx, fy] = [random.between(0, 80), random.between(0, 80)];
    return (x, y) => 127 + 120 * Math.sin(x * fx + y * fy);
  },
  discs: (random) => shapes(random, (dx, dy, r) => dx * dx + dy * dy < r * r),
  boxes: (random) => shapes(random, (dx, dy, r) => Math.abs(dx) < r && Math.abs(dy) < r * 0.6),
  // A fan of speckle, as an ultrasound probe draws it.
  fan: (random) => {
    const [open, depth] = [random.between(0.4, 0.9), random.between(0.7, 1)];
    const waves = wavesOf(random, 8, 9);
    return (x, y) => {
      const radius = Math.hypot(x - 0.5, y + 0.1);
      const isInside = Math.abs(Math.atan2(x - 0.5, y + 0.1)) < open && radius > 0.2;
      const speckle = -Math.log(1 - random.uniform() * 0.999);
      return isInside && radius < depth ? Math.max(0, 60 + 40 * waves(x, y)) * speckle : 4;
    };
  },
  // Shafts of bone in soft tissue, as on a film of a limb.
  limb: (random) => {
    const tilt = random.between(-0.4, 0.4);
    const half = random.between(0.15, 0.38);
    const bones = Array.from({ length: 1 + random.integer(4) }, () => ({
      at: random.between(-0.8, 0.8) * half,
      width: random.between(0.02, 0.09),
    }));
    const joint = random.between(0.2, 0.8);
    return (x, y) => {
      const u = x - 0.5 - tilt * (y - 0.5);
      if (Math.abs(u) > half) return 6 + 6 * random.uniform();
      let value = 60 + 90 * Math.sqrt(1 - (u / half) ** 2);
      for (const { at, width } of bones) {
        const wide = width * (1 + 0.8 * Math.exp(-(((y - joint) / 0.06) ** 2)));
        const across = Math.abs(u - at) / wide;
        if (across < 1 && Math.abs(y - joint) > 0.012) value += 35 + 50 * across ** 3;
      }
      return value + 8 * random.uniform();
    };
  },
};

export interface DrawnImage {
  readonly source: string;
  readonly pixels: Uint8Array;
}

/** `each` images of every kind, square, of that side. */
export function* drawnImages(each: number, side: number, seed: number): Generator<DrawnImage> {
  for (const [kind, painter] of Object.entries(PAINTERS))
    for (let index = 0; index < each; index++) {
      const grey = painter(randomStream(seed, "drawn", kind, index));
      const pixels = new Uint8Array(side * side);
      for (let i = 0; i < pixels.length; i++) {
        const value = grey(((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side);
        pixels[i] = Math.max(0, Math.min(255, Math.round(value)));
      }
      yield { source: `drawn-${kind}`, pixels };
    }
}

function wavesOf(random: RandomStream, count: number, fastest: number) {
  const waves = Array.from({ length: count }, () => ({
    fx: random.between(-fastest, fastest),
    fy: random.between(-fastest, fastest),
    phase: random.between(0, 6.28),
  }));
  return (x: number, y: number) =>
    waves.reduce((sum, { fx, fy, phase }) => sum + Math.sin(fx * x + fy * y + phase), 0) /
    Math.sqrt(count / 2);
}

function shapes(random: RandomStream, isIn: (dx: number, dy: number, r: number) => boolean) {
  const all = Array.from({ length: 3 + random.integer(20) }, () => ({
    x: random.uniform(),
    y: random.uniform(),
    r: random.between(0.03, 0.2),
    grey: 255 * random.uniform(),
  }));
  const ground = 255 * random.uniform();
  return (x: number, y: number) =>
    all.find((shape) => isIn(x - shape.x, y - shape.y, shape.r))?.grey ?? ground;
}
