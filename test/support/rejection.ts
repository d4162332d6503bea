/** What a promise is rejected with, or a call throws, as the error that it has to be. */
import { HilumError } from "../../src/errors.ts";

export async function rejection(work: Promise<unknown>): Promise<HilumError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HilumError) return error;
    throw error;
  }
  throw new Error("it was expected to be rejected, and was fulfilled");
}

export function thrownBy(call: () => unknown): HilumError {
  try {
    call();
  } catch (error) {
    if (error instanceof HilumError) return error;
    throw error;
  }
  throw new Error("it was expected to throw, and returned");
}
