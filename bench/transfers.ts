/** What `bench transfer` measures: pretrained networks frozen, in part and as a whole, on random weights. */
import { HilumError } from "../src/errors.ts";
import type { Contest } from "./contest.ts";

export const TRANSFERS: readonly Contest[] = [
  { name: "xception-features", task: "features", work: "xception", size: 299, batch: 16 },
  { name: "inception-v3-features", task: "features", work: "inception-v3", size: 299, batch: 16 },
  {
    name: "efficientnet-lite0-features",
    task: "features",
    work: "efficientnet-lite0",
    size: 224,
    batch: 16,
  },
  { name: "mobilenet-v2-features", task: "features", work: "mobilenet-v2", size: 224, batch: 16 },
  { name: "xception-top", task: "fine-tuning", work: "xception", size: 299, batch: 16 },
  { name: "inception-v3-top", task: "fine-tuning", work: "inception-v3", size: 299, batch: 16 },
  {
    name: "efficientnet-lite0-whole",
    task: "fine-tuning",
    work: "efficientnet-lite0",
    size: 224,
    batch: 16,
  },
];

/** Blocks that fine-tuning trains beside the head; the peers' scripts name the same layers. */
export const UNFROZEN: Readonly<Record<string, number | "all">> = {
  xception: 2,
  "inception-v3": 2,
  "efficientnet-lite0": "all",
};

/** Throws `invalid-option` for a name that is none of them. */
export function transferNamed(name: string): Contest {
  const transfer = TRANSFERS.find((candidate) => candidate.name === name);
  if (transfer) return transfer;
  const names = TRANSFERS.map((candidate) => candidate.name);
  throw new HilumError(
    "invalid-option",
    `There is no work "${name}" to measure. There are: ${names.join(", ")}.`,
    { option: "work", value: name, allowed: names },
  );
}
