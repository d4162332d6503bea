/** Further processes at work on a sweep, which end with this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Set in a worker's environment, which then ends when whoever started it is gone. */
const WORKER = "HILUM_WORKER";

export interface Workers {
  /** Asks them to stop in good order. */
  stop(): void;
  /** Resolves when all have ended. */
  ended(): Promise<void>;
}

/** Starts this command line `count` times with the given words. */
export function startWorkers(count: number, words: readonly string[]): Workers {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...words], {
      env: { ...process.env, [WORKER]: "1" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    }),
  );
  const endOf = async (child: ChildProcess) => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  return {
    stop() {
      for (const child of children) child.kill("SIGTERM");
    },
    async ended() {
      await Promise.all(children.map(endOf));
    },
  };
}

/** Whether this process is a worker of another; if so, it ends when the other does. */
export function isWorker(): boolean {
  if (process.env[WORKER] !== "1") return false;
  const end = () => process.kill(process.pid, "SIGKILL");
  // The other may be gone before this process came so far.
  if (!process.connected) end();
  process.once("disconnect", end);
  // The channel is there to be closed, not to be waited for.
  process.channel?.unref();
  return true;
}
