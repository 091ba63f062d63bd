import { setTimeout as sleep } from 'node:timers/promises';
import { type Buyers } from './buyers.js';

const GIVE_UP_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** How long an order takes from the click until it is paid while nothing goes wrong, in milliseconds; null when it is never paid. */
export async function probe(buyers: Buyers): Promise<number | null> {
  const startedAt = Date.now();
  const placed = await buyers.create({ account: 0, key: buyers.newKey(), extra: { paymentMethod: 'pm_card_visa' } });
  if (placed === null) return null;
  const { order } = placed;
  while (Date.now() - startedAt < GIVE_UP_MS) {
    if ((await buyers.look(order))?.status === 'paid') return Date.now() - startedAt;
    await sleep(LOOK_EVERY_MS);
  }
  return null;
}
