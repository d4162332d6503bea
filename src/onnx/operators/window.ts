/** The attributes of sliding windows, which convolution and pooling share. */
import { type Attribute, ints, string } from "../graph.ts";

export interface WindowAttributes {
  readonly strides?: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  /** Begin of every spatial axis, then end of every spatial axis. */
  readonly pads?: readonly number[] | undefined;
  readonly autoPad?: "NOTSET" | "SAME_UPPER" | "SAME_LOWER" | "VALID" | undefined;
}

export function windowAttributes(window: WindowAttributes): Record<string, Attribute> {
  return {
    ...(window.strides ? { strides: ints(window.strides) } : {}),
    ...(window.dilations ? { dilations: ints(window.dilations) } : {}),
    ...(window.pads ? { pads: ints(window.pads) } : {}),
    ...(window.autoPad ? { auto_pad: string(window.autoPad) } : {}),
  };
}
