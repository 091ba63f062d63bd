import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from './start-error.js';

interface Wait {
  /** What is waited for, completing "waited in vain for …". */
  readonly what: string;
  readonly timeoutMs: number;
  /** How often to look. */
  readonly everyMs: number;
  /** Ends the wait by throwing its reason. */
  readonly signal: AbortSignal;
}

/** Looks again and again until there is something other than null, and returns it. A look that throws counts as "not yet". */
export async function waitUntil<T>({ what, timeoutMs, everyMs, signal }: Wait, look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    signal.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== null) return seen;
    } catch (error) {
      last = error instanceof Error ? ` (${error.message})` : '';
    }
    if (performance.now() > deadline) throw new StartError(`Waited ${timeoutMs / 1_000} s in vain for ${what}${last}.`);
    await delay(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Whether a GET of this address is answered 2xx. */
export async function answers(url: string, signal: AbortSignal): Promise<true | null> {
  const response = await fetch(url, { signal });
  await response.arrayBuffer();
  return response.ok ? true : null;
}
