import { type Draining } from '../health/draining.js';
import { type OrderWatch, type SeenOrder } from '../orders/order-watch.js';

/** A resource as it is now: its JSON text, whether nothing more is expected to happen to it soon, and the order it hangs on. */
export interface Snapshot {
  readonly body: string;
  readonly isSettled: boolean;
  readonly of: SeenOrder;
}

/** Longer than most proxies keep a silent connection, nobody should wait. */
const MAX_SECONDS = 30;

/** The seconds a `Prefer: wait=N` header asks for, at most 30; null without one or when it is malformed. Source: RFC 7240, 4.3. */
export function waitSeconds(header: string | string[] | undefined): number | null {
  const preferences = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(/[,;]/);
  const value = preferences.map((preference) => /^\s*wait\s*=\s*"?(\d+)"?\s*$/i.exec(preference)?.[1]).find((match) => match !== undefined);
  return value === undefined ? null : Math.min(MAX_SECONDS, Number(value));
}

/** Looks at a resource until it is settled, the time is over, or the process drains; returns it as it was last seen. */
export async function waitForSettled(
  look: () => Promise<Snapshot>,
  seconds: number,
  { watch, draining }: { watch: OrderWatch; draining: Draining },
): Promise<Snapshot> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const snapshot = await look();
    const leftMs = deadline - performance.now();
    if (snapshot.isSettled || draining.hasBegun || leftMs <= 0) return snapshot;
    await watch.changed(snapshot.of, leftMs);
  }
}
