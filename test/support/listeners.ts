import assert from 'node:assert/strict';
import { type TestDatabase } from './database.js';
import { waitFor } from './wait-for.js';

/** The relay's listener and those of BullMQ, by the names of their connections. */
const LISTENERS = ['maintenance', 'oncepay listen', 'payments', 'refunds', 'webhook-events'];

interface Listener {
  readonly name: string;
  readonly pid: number;
}

/** The connections that listen, as PostgreSQL knows them. */
export function listenersOf({ query }: Pick<TestDatabase, 'query'>): Promise<readonly Listener[]> {
  return query<{ name: string; pid: number }>(
    `SELECT application_name AS name, pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1)`,
    [LISTENERS],
  );
}

/** Waits until a worker with its queue in PostgreSQL listens to everything it has to, by other connections than `silent`. */
export function everythingListens(database: Pick<TestDatabase, 'query'>, silent: readonly Listener[] = []): Promise<true> {
  return waitFor('every listener to be there', async () => {
    const heard = (await listenersOf(database)).filter(({ pid }) => !silent.some((one) => one.pid === pid));
    assert.deepEqual([...new Set(heard.map(({ name }) => name))].toSorted(), LISTENERS);
    return true;
  });
}
