/** Stopping: Ctrl-C finishes what is under way; the death of whoever started us stops us too. */
import { readFileSync } from "node:fs";

const POLL_MS = 500;

/** A signal that aborts on SIGINT and SIGTERM; a second Ctrl-C ends at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nStopping after this step; Ctrl-C again ends at once.\n");
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/**
 * Ends this process when the one that the user started is gone. `npx hilum` starts npm, which starts
 * a shell, which starts us: kill -9 of the first would leave us at work. Without npm in between the
 * user started us, and a parent that goes (nohup, a closed terminal) means nothing.
 */
export function watchStarter(): void {
  if (!process.env.npm_execpath && !process.env.npm_command) return;
  const ancestors = [process.ppid, parentOf(process.ppid)].filter(
    (pid) => pid !== undefined && pid > 1,
  );
  const first = process.ppid;
  setInterval(() => {
    const isOrphan = process.ppid !== first || ancestors.some((pid) => !isRunning(pid!));
    if (isOrphan) process.kill(process.pid, "SIGKILL");
  }, POLL_MS).unref();
}

/** The parent of another process where the system tells. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
