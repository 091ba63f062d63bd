import { setTimeout as delay } from 'node:timers/promises';
import { type Draining } from '../health/draining.js';

/** A resource as it is now: its JSON text, and whether nothing more is expected to happen to it soon. */
export interface Snapshot {
  readonly body: string;
  readonly isSettled: boolean;
}

/** Longer than most proxies keep a silent connection, nobody should wait. */
const MAX_SECONDS = 30;
/** Orders settle within a few hundred milliseconds; a look costs one statement. */
const LOOK_EVERY_MS = 100;

/** The seconds a `Prefer: wait=N` header asks for, at most 30; null without one or when it is malformed. Source: RFC 7240, 4.3. */
export function waitSeconds(header: string | string[] | undefined): number | null {
  const preferences = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(/[,;]/);
  const value = preferences.map((preference) => /^\s*wait\s*=\s*"?(\d+)"?\s*$/i.exec(preference)?.[1]).find((match) => match !== undefined);
  return value === undefined ? null : Math.min(MAX_SECONDS, Number(value));
}

/** Looks at a resource until it is settled, the time is over, or the process drains; returns it as it was last seen. */
export async function waitForSettled(look: () => Promise<Snapshot>, seconds: number, draining: Draining): Promise<Snapshot> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const snapshot = await look();
    if (snapshot.isSettled || draining.hasBegun || performance.now() >= deadline) return snapshot;
    await Promise.race([delay(Math.min(LOOK_EVERY_MS, Math.max(1, deadline - performance.now()))), draining.begun]);
  }
}
