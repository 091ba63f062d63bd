import { AsyncLocalStorage } from 'node:async_hooks';

/** What connects log lines: the request that started it all, and what is being worked on. Ids only. */
export interface Correlation {
  /** The X-Request-Id of the command, through its operation's row to the last line about it. */
  readonly requestId?: string;
  readonly operationId?: string;
  readonly orderId?: string;
  readonly eventId?: string;
}

const current = new AsyncLocalStorage<Correlation>();

/** Runs `work` so that every log line it causes carries these ids, besides those it carries already. */
export function correlate<T>(ids: Correlation, work: () => T): T {
  return current.run({ ...current.getStore(), ...ids }, work);
}

/** The ids of what is being worked on. */
export function correlation(): Correlation {
  return current.getStore() ?? {};
}
