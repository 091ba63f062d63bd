import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer } from './postgres-server.js';

/** What a dead worker held is followed up within this, in 99 of 100 cases: its lease of 3 s, the sweeper's second, and the claim. */
export const TAKEOVER_BOUND_MS = 5_000;

interface Held {
  readonly id: string;
  readonly fence: string;
  readonly lease: string | null;
  readonly finished: boolean;
}

/** A living worker renews each second: a lease that stands still for longer lost its holder. */
const STANDS_STILL_MS = 1_500;
const LOOK_EVERY_MS = 100;
const GIVE_UP_MS = 20_000;

/** Measures how long operations of killed workers lie until another worker has claimed them. */
export class TakeoverWatch {
  /** While nothing else was wrong. */
  readonly aloneMs: number[] = [];
  /** While other faults struck too. */
  readonly amidMs: number[] = [];

  constructor(
    private readonly postgres: PostgresServer,
    private readonly isDisturbed: () => boolean,
  ) {}

  /** To be called right after a worker was killed; resolves when what it held was claimed. A fault of the database ends the watch. */
  async watch(): Promise<void> {
    const killedAt = Date.now();
    try {
      const held = await this.#look(`lease_until > now() AND status = 'in_flight'`);
      if (held.size === 0) return;
      await sleep(STANDS_STILL_MS);
      const orphans = new Map<string, Held>();
      const now = await this.#lookAt([...held.keys()]);
      for (const [id, before] of held) {
        const after = now.get(id);
        if (after !== undefined && after.fence === before.fence && after.lease === before.lease && !after.finished) orphans.set(id, before);
      }
      await this.#untilClaimed(orphans, killedAt);
    } catch {
      // The database is down: another fault's doing.
    }
  }

  async #untilClaimed(orphans: Map<string, Held>, killedAt: number): Promise<void> {
    let isAlone = !this.isDisturbed();
    const note = (): void => void (isAlone ? this.aloneMs : this.amidMs).push(Date.now() - killedAt);
    while (orphans.size > 0 && Date.now() - killedAt < GIVE_UP_MS) {
      const now = await this.#lookAt([...orphans.keys()]);
      isAlone &&= !this.isDisturbed();
      for (const [id, before] of orphans) {
        const after = now.get(id);
        if (after === undefined || (after.fence === before.fence && !after.finished)) continue;
        // Over without having been claimed: a fact has ended it, or its holder was only slow to renew.
        if (after.fence !== before.fence) note();
        orphans.delete(id);
      }
      await sleep(LOOK_EVERY_MS);
    }
    // What was never claimed shows in the oracle; here it counts with all the time it was given.
    for (let left = orphans.size; left > 0; left -= 1) note();
  }

  #lookAt(ids: readonly string[]): Promise<Map<string, Held>> {
    return this.#look('id = ANY ($1::uuid[])', [ids]);
  }

  async #look(where: string, params: readonly unknown[] = []): Promise<Map<string, Held>> {
    const rows = await this.postgres.query<Held>(
      `SELECT id, fence::text, lease_until::text AS lease, finished_at IS NOT NULL AS finished FROM payment_operations WHERE ${where}`,
      params,
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}
