/** How a long script ends that can be stopped and goes on where it was. */
import { isHilumError } from "../../src/errors.ts";

/** Says in one line why the work ended early, and sets the exit code: 130 where it was stopped, else 1. */
export function reportEnding(error: unknown, { aborted }: AbortSignal): void {
  const reason = isHilumError(error) || error instanceof Error ? error.message : String(error);
  console.error(aborted ? "Stopped. The same command goes on from here." : reason);
  process.exitCode = aborted ? 130 : 1;
}
