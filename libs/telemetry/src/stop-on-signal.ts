import { type Logger } from './logger.js';

/** What is stopped, and how long that may take. */
interface Stoppable {
  /** Finishes what is under way, a start too, and lets go of everything. */
  readonly close: () => Promise<void>;
  readonly timeoutMs: number;
}

/**
 * npm passes the terminal's Ctrl-C on to a program that has it from the terminal already, so one key press comes as two
 * signals within milliseconds. Nobody presses twice in this time.
 */
const ONE_KEY_PRESS_MS = 400;

/**
 * Closes at the first SIGTERM or SIGINT and ends the process: with 0 when everything closed well, with 1 when it failed,
 * when the time was over, or at once when a second signal came. To be called before anything says that it is ready: until
 * then a signal ends the process with everything in it.
 */
export function stopOnSignal(logger: Logger, { close, timeoutMs }: Stoppable): void {
  let askedAt: number | null = null;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    askedAt = performance.now();
    logger.info({ signal, timeoutMs }, 'stopping: no new work, what is under way is finished');
    setTimeout(() => {
      logger.error({ timeoutMs }, 'stopped before everything was finished; other processes take over what is left');
      process.exit(1);
    }, timeoutMs);
    try {
      await close();
      logger.info({ tookMs: Math.round(performance.now() - askedAt) }, 'stopped');
      process.exit(0);
    } catch (error) {
      logger.error({ error }, 'stopped, but not cleanly');
      process.exit(1);
    }
  };
  const receive = (signal: NodeJS.Signals): void => {
    if (askedAt === null) {
      void stop(signal);
      return;
    }
    if (signal === 'SIGINT' && performance.now() - askedAt < ONE_KEY_PRESS_MS) return;
    logger.warn({ signal }, 'stopped at once, as a second signal asked for; other processes take over what is left');
    process.exit(1);
  };
  process.on('SIGTERM', receive).on('SIGINT', receive);
}
