/** The only source of the current time for business decisions: expiry, retention, the age of a Stripe idempotency key. */
export interface Clock {
  /** The present instant. Outside production it may run ahead of the wall clock (a simulator's virtual clock). */
  now(): Date;
  /** Learns the clock's offset anew, where it has one. Safe to repeat; keeps the last known offset when it cannot be read. */
  refresh(): Promise<void>;
}

/** The wall clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  refresh: () => Promise.resolve(),
};

/** How long an unreachable virtual clock may delay a Stripe write: it is a development aid, never a reason to wait. */
const CLOCK_READ_TIMEOUT_MS = 500;

/**
 * A clock that runs ahead of the wall clock by the offset read from `url`, which answers `{"offsetMs": number}`.
 * For development and tests only; leases and timeouts never use it.
 */
export function virtualClock(url: string): Clock {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    refresh: async () => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(CLOCK_READ_TIMEOUT_MS) });
        const answer: unknown = await response.json();
        if (typeof answer === 'object' && answer !== null && 'offsetMs' in answer && typeof answer.offsetMs === 'number') {
          offsetMs = answer.offsetMs;
        }
      } catch {
        // The simulator is down: the last offset stays the best knowledge of its time.
      }
    },
  };
}
