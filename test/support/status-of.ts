import { uuidOf } from '#libs/primitives';
import { type TestDatabase } from './database.js';

const TABLES = { ord: 'orders', ref: 'refunds' } as const;

/**
 * The status of an order or a refund as its row says; null: there is none. Tests that wait look often, and a look through the API costs
 * ten times as much processor time: they ask the API once the row is as they wish.
 */
export async function statusOf(database: TestDatabase, id: string): Promise<string | null> {
  const prefix = id.startsWith('ord_') ? 'ord' : 'ref';
  const [row] = await database.query<{ status: string }>(`SELECT status FROM ${TABLES[prefix]} WHERE id = $1::uuid`, [uuidOf(prefix, id)]);
  return row?.status ?? null;
}
