import { type Tx } from '#libs/database';
import { cancelParams, commitChange, lockPayment, planChange } from '#libs/payments';
import { effect } from '#libs/primitives';
import { newOperation } from './command-order.js';
import { hasOpenOperation } from './order-commands.js';
import { type Orders } from './orders.js';
import { findExpiredOrders } from './orders.store.js';

/**
 * Orders the cancellation of every intent whose buyer did not pay in time. The order becomes `expired` only when Stripe
 * has canceled it; a success that wins the race makes it `paid`. Never touches what is processing, authorized or busy.
 * Returns how many it ordered. Safe to repeat and to run in several processes at once.
 */
export async function expireOrders(orders: Pick<Orders, 'database' | 'clock' | 'entropy'>, limit: number): Promise<number> {
  const { database, clock, entropy } = orders;
  let count = 0;
  for (const id of await findExpiredOrders(database.autocommit, clock.now(), limit)) {
    const expire = async (tx: Tx): Promise<boolean> => {
      const payment = await lockPayment(tx, id);
      if (
        payment === null ||
        hasOpenOperation(payment) ||
        (payment.orderStatus !== 'requires_payment' && payment.orderStatus !== 'requires_action')
      )
        return false;
      const operation = newOperation(orders, payment, 'cancel', 'expiry', () => cancelParams(payment, 'abandoned'));
      const { change } = planChange(payment, { ordered: [operation] }, { cause: 'expiry', now: clock.now(), newId: () => entropy.uuid() });
      return commitChange(tx, change);
    };
    if (await effect('worker.expiry.commit', () => database.transaction(expire))) count += 1;
  }
  return count;
}
