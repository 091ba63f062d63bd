import { type ClaimedOperation } from './operations.store.js';
import { type PaymentStatus } from './payment.js';

/** Names, in the parameters of the operation, the intent that an earlier generation of a create left behind. */
export const ORPHAN = 'payment_intent';

/** The intent that a `cancel_orphan` cancels. */
export function orphanOf({ id, params }: Pick<ClaimedOperation, 'id' | 'params'>): string {
  const orphan = params[ORPHAN];
  if (typeof orphan !== 'string') throw new Error(`bug: operation ${id} cancels an orphan without its id`);
  return orphan;
}

/** Whether nobody has confirmed an intent with this status, so that no money hangs on it. */
export function isUnconfirmed(status: PaymentStatus): boolean {
  return status === 'requires_payment_method' || status === 'requires_confirmation';
}
