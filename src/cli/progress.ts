/** Progress on standard error: a bar on a terminal, a line now and then elsewhere. */
import type { SingleBar } from "cli-progress";

/** Work that is done sooner shows no bar. */
const DELAY_MS = 2000;
const LINE_MS = 15_000;

export interface ProgressBar {
  update(done: number, total: number, note?: string): void;
  stop(): void;
}

export function progressBar(title: string): ProgressBar {
  return process.stderr.isTTY ? terminalBar(title) : progressLines(title);
}

export interface ProgressBars {
  /** Another title ends the bar before it, as does the end of its work. */
  update(title: string, done: number, total: number, note?: string): void;
  stop(): void;
}

/** One bar after another. */
export function progressBars(): ProgressBars {
  let bar: ProgressBar | undefined;
  let doing: string | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
    doing = undefined;
  };
  return {
    stop,
    update(title, done, total, note) {
      if (title !== doing) stop();
      doing = title;
      bar ??= progressBar(title);
      bar.update(done, total, note);
      if (done === total) stop();
    },
  };
}

function terminalBar(title: string): ProgressBar {
  const begun = performance.now();
  let bar: SingleBar | undefined;
  let isWanted = false;
  return {
    update(done, total, note = "") {
      if (bar) {
        bar.setTotal(total);
        bar.update(done, { note });
      } else if (!isWanted && performance.now() - begun >= DELAY_MS) {
        isWanted = true;
        // Most work is done before a bar is due, so its library is loaded only then.
        openBar(title).then((opened) => {
          if (!isWanted) return;
          bar = opened;
          bar.start(total, done, { note });
        });
      }
    },
    stop() {
      isWanted = false;
      bar?.stop();
      bar = undefined;
    },
  };
}

async function openBar(title: string): Promise<SingleBar> {
  const { SingleBar } = await import("cli-progress");
  return new SingleBar({
    format: `${title} {bar} {percentage} % {note}`,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
}

function progressLines(title: string): ProgressBar {
  const begun = performance.now();
  let said = begun + DELAY_MS - LINE_MS;
  return {
    update(done, total, note = "") {
      if (performance.now() - said < LINE_MS) return;
      said = performance.now();
      process.stderr.write(`${title} ${done}/${total} ${note}\n`);
    },
    stop() {},
  };
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
