import { type Tx } from '#libs/database';
import { type Orderer } from './order.js';

/** An entry of an account's catalogue. unitAmount: integer in Stripe's unit of the currency. */
export interface Price {
  readonly id: string;
  readonly name: string;
  readonly currency: string;
  readonly unitAmount: number;
  readonly active: boolean;
}

type Owner = Pick<Orderer, 'accountId' | 'mode'>;

const COLUMNS = { id: true, name: true, currency: true, unitAmount: true, active: true } as const;

/** Writes a price as given, new or over the one of the same id. Safe to repeat. */
export async function putPrice(tx: Tx, { accountId, mode }: Owner, price: Price, now: Date): Promise<void> {
  const row = { name: price.name, currency: price.currency, unitAmount: price.unitAmount, active: price.active, updatedAt: now };
  await tx.price.upsert({
    where: { accountId_mode_id: { accountId, mode, id: price.id } },
    create: { accountId, mode, id: price.id, createdAt: now, ...row },
    update: row,
  });
}

/** The whole catalogue of an account, by id. */
export async function listPrices(tx: Tx, { accountId, mode }: Owner): Promise<Price[]> {
  const rows = await tx.price.findMany({ where: { accountId, mode }, select: COLUMNS, orderBy: { id: 'asc' } });
  return rows.map((row) => ({ ...row, unitAmount: Number(row.unitAmount) }));
}

/** The named prices, those that exist, by id. */
export async function findPrices(tx: Tx, { accountId, mode }: Owner, ids: readonly string[]): Promise<ReadonlyMap<string, Price>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.price.findMany({ where: { accountId, mode, id: { in: [...new Set(ids)] } }, select: COLUMNS });
  return new Map(rows.map((row) => [row.id, { ...row, unitAmount: Number(row.unitAmount) }]));
}
