/** The reader asked to stop. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/**
 * npm passes the terminal's Ctrl-C on to a program that has it from the terminal already, so one key press comes as two signals
 * within milliseconds. Nobody presses twice in this time.
 */
const ONE_KEY_PRESS_MS = 400;

/** Calls `first` at Ctrl-C, SIGTERM or a closed terminal, and `again` when the reader insists. */
export function onInterruption(first: () => void, again: () => void): void {
  let firstAt: number | null = null;
  const receive = (): void => {
    if (firstAt === null) {
      firstAt = performance.now();
      first();
    } else if (performance.now() - firstAt > ONE_KEY_PRESS_MS) {
      again();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, receive);
}
