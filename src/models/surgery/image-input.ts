/** Where the image enters a model: which input, in which layout, of which size. */
import { HilumError } from "../../errors.ts";
import type { Dimension, Graph, Shape, ValueInfo } from "../../onnx/index.ts";

export interface ImageInput {
  readonly name: string;
  readonly channels: number;
  /** `[N, H, W, C]`, as Keras exports. */
  readonly isChannelsLast: boolean;
  /** Images in a batch, where the file fixes it. */
  readonly batch: number | undefined;
  /** The side of the square image, where the file fixes it. */
  readonly side: number | undefined;
}

const CHANNELS: ReadonlySet<Dimension> = new Set([1, 3]);
const PIXEL_TYPES: ReadonlySet<string | null> = new Set(["float32", "uint8"]);

/** The only input that is an image. Throws `backbone-unsupported` where there is none, or several. */
export function imageInput(graph: Graph): ImageInput {
  const isRead = new Set(graph.nodes.flatMap((node) => node.inputs));
  const inputs = graph.inputs.filter(
    ({ name }) => isRead.has(name) && !graph.initializers.has(name),
  );
  const images = inputs.flatMap((input) => imageOf(input, graph) ?? []);
  const [image, ...others] = images;
  if (image && others.length === 0) return image;
  const listed = inputs.map(({ name, type, shape }) => `${name} ${type} [${shape?.join(", ")}]`);
  throw new HilumError(
    "backbone-unsupported",
    `The model needs one image input, float32 [N, 3, H, W] or [N, H, W, 3], but ${
      image ? "several inputs are images" : "none of its inputs is one"
    }: ${listed.join("; ")}.`,
    { inputs: listed },
  );
}

function imageOf({ name, type, shape }: ValueInfo, graph: Graph): ImageInput | undefined {
  if (!PIXEL_TYPES.has(type) || shape?.length !== 4) return undefined;
  const isChannelsLast = !CHANNELS.has(shape[1]!) && CHANNELS.has(shape[3]!);
  const channels = shape[isChannelsLast ? 3 : 1]!;
  const counted = typeof channels === "number" ? channels : channelsRead(graph, name);
  if (!CHANNELS.has(counted ?? null)) return undefined;
  const batch = shape[0];
  return {
    name,
    channels: counted!,
    isChannelsLast,
    batch: typeof batch === "number" ? batch : undefined,
    side: sideOf(isChannelsLast ? shape.slice(1, 3) : shape.slice(2), name),
  };
}

/** The channels that a convolution wants of a value whose shape does not say them. */
function channelsRead(graph: Graph, name: string): number | undefined {
  const reader = graph.nodes.find(
    ({ operator, inputs }) => operator === "Conv" && inputs[0] === name,
  );
  return graph.initializers.get(reader?.inputs[1] ?? "")?.dims[1];
}

function sideOf([height, width]: Shape, name: string): number | undefined {
  if (typeof height !== "number" || typeof width !== "number") return undefined;
  if (height === width) return height;
  throw new HilumError(
    "backbone-unsupported",
    `Input "${name}" of the model is ${height}x${width}; only square images are trained on.`,
  );
}
