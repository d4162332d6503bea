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
  if (!isBelowNpm(process.env)) return;
  const starters = `${startersOf(process.ppid)}`;
  setInterval(() => {
    if (`${startersOf(process.ppid)}` !== starters) process.kill(process.pid, "SIGKILL");
  }, POLL_MS).unref();
}

/** Processes from `pid` up to npm, which alone does not have the variables that it gives its children. */
function startersOf(pid: number | undefined): number[] {
  if (pid === undefined || pid <= 1) return [];
  return isBelowNpm(environmentOf(pid)) ? [pid, ...startersOf(parentOf(pid))] : [pid];
}

function isBelowNpm(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment.npm_execpath !== undefined || environment.npm_command !== undefined;
}

/** The environment that another process began with, where the system tells. */
function environmentOf(pid: number): Record<string, string> {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return Object.fromEntries(entries.map((entry) => [entry.split("=")[0]!, entry]));
  } catch {
    return {};
  }
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
