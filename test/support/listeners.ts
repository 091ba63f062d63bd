import assert from 'node:assert/strict';
import { type TestDatabase } from './database.js';
import { waitFor } from './wait-for.js';

/** The relay's listener and those of BullMQ, by the names of their connections. */
const LISTENERS = ['maintenance', 'oncepay listen', 'payments', 'refunds', 'webhook-events'];

/** Waits until a worker with its queue in PostgreSQL listens to everything it has to. */
export function everythingListens({ query }: Pick<TestDatabase, 'query'>): Promise<true> {
  return waitFor('every listener to be there', async () => {
    const rows = await query<{ name: string }>(
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1) ORDER BY 1`,
      [LISTENERS],
    );
    assert.deepEqual(
      rows.map(({ name }) => name),
      LISTENERS,
    );
    return true;
  });
}
