import { type Tx } from '#libs/database';
import { effect } from '#libs/primitives';
import { ORPHAN } from './orphan.js';
import { isOpen } from './payment.js';
import { type NewOperation, planChange } from './payment-change.js';
import { type Payments } from './payments.js';
import { commitChange, lockPayment } from './payments.store.js';
import { stripeIdempotencyKey } from './run-operation.js';

/**
 * Orders the cancellation of an intent that an earlier generation of an order's create left behind: an operation like every
 * change at Stripe, which leaves the payment as it is. False when one of the order is under way, or the intent is the
 * payment's own after all. Safe to repeat.
 */
export async function orderOrphanCancellation(payments: Payments, orderId: string, intentId: string, cause: string): Promise<boolean> {
  const { database, clock, entropy } = payments;
  const newId = (): string => entropy.uuid();
  const order = async (tx: Tx): Promise<boolean> => {
    const payment = await lockPayment(tx, orderId);
    if (payment === null || payment.stripePaymentIntentId === intentId) return false;
    if (payment.operations.some(({ kind, status }) => kind === 'cancel_orphan' && isOpen(status))) return false;
    const id = newId();
    const operation: NewOperation = {
      id,
      kind: 'cancel_orphan',
      orderedBy: 'reconciliation',
      sequence: Math.max(0, ...payment.operations.map(({ sequence }) => sequence)) + 1,
      status: 'queued',
      refundId: null,
      stripeIdempotencyKey: stripeIdempotencyKey(id, 1),
      params: { [ORPHAN]: intentId },
    };
    const { change } = planChange(payment, { ordered: [operation] }, { cause, now: clock.now(), newId });
    return commitChange(tx, change);
  };
  return effect('worker.reconciliation.commit', () => database.transaction(order));
}
