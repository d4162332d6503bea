/** One line of interop's table. */
export interface Row {
  /** Which tool looks, at what. */
  readonly check: string;
  readonly subject: string;
  /** A difference or a number of them; text where the tool refused. */
  readonly measured: number | string;
  /** The largest sound difference. */
  readonly limit: number;
}

export const isSound = ({ measured, limit }: Row): boolean =>
  typeof measured === "number" && measured <= limit;
