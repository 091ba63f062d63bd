import { book } from '../balance/balance-transactions.js';
import type { Charge } from '../charges/charge.js';
import { type Act, journalEffect } from '../core/act.js';
import { emit } from '../events/emit.js';
import { invalidRequest } from '../http/stripe-error.js';
import { settleRefund } from '../refunds/refunds.js';
import { type Dispute, newDispute } from './dispute.js';

/** Stripe's fee for a dispute. */
const DISPUTE_FEE = 1_500;

const OPEN: ReadonlySet<Dispute['status']> = new Set(['needs_response', 'under_review', 'warning_needs_response', 'warning_under_review']);

/** The buyer's bank disputes a charge. The money leaves at once, but for an inquiry. */
export function openDispute(act: Act, charge: Charge, how: { reason: string; inquiry: boolean }): Dispute {
  if (charge.status !== 'succeeded' || !charge.captured || charge.disputed) throw invalidRequest(`Charge ${charge.id} cannot be disputed.`);
  const opened = newDispute({ charge, at: act.at, ...how });
  const dispute = act.account.save('disputes', how.inquiry ? opened : withdrawn(act, opened));
  act.account.save('charges', { ...charge, disputed: true });
  emit(act, 'charge.dispute.created', dispute);
  if (!how.inquiry) {
    failPendingRefunds(act, charge);
    journalEffect(act, 'dispute_withdrawn', movementOf(dispute));
    emit(act, 'charge.dispute.funds_withdrawn', dispute);
  }
  return dispute;
}

/** Ends a dispute. Won, the money comes back; lost moves nothing further. */
export function closeDispute(act: Act, dispute: Dispute, outcome: 'won' | 'lost'): Dispute {
  if (!OPEN.has(dispute.status)) throw invalidRequest('This dispute is already closed.', { code: 'dispute_already_closed' });
  const inquiry = dispute.status.startsWith('warning_');
  if (inquiry || outcome === 'lost') {
    const closed = act.account.save('disputes', { ...dispute, status: inquiry ? 'warning_closed' : 'lost', is_charge_refundable: inquiry });
    emit(act, 'charge.dispute.closed', closed);
    return closed;
  }
  const reinstated = book(act, {
    type: 'adjustment',
    reportingCategory: 'dispute_reversal',
    amount: dispute.amount,
    currency: dispute.currency,
    source: dispute.id,
  });
  const won = act.account.save('disputes', {
    ...dispute,
    status: 'won',
    balance_transactions: [...dispute.balance_transactions, reinstated],
    is_charge_refundable: true,
  });
  journalEffect(act, 'dispute_reinstated', movementOf(won));
  emit(act, 'charge.dispute.funds_reinstated', won);
  emit(act, 'charge.dispute.closed', won);
  return won;
}

/** The dispute returns the money already, so a refund still under way comes to nothing. */
function failPendingRefunds(act: Act, charge: Charge): void {
  const refunds = act.account.all('refunds').page({
    limit: 100,
    where: { field: 'charge', value: charge.id },
    filter: (refund) => refund.charge === charge.id && refund.status === 'pending',
  });
  for (const refund of refunds?.data ?? []) settleRefund(act, refund, 'failed', 'charge_for_pending_refund_disputed');
}

function withdrawn(act: Act, dispute: Dispute): Dispute {
  const booking = book(act, {
    type: 'adjustment',
    reportingCategory: 'dispute',
    amount: -dispute.amount,
    fee: DISPUTE_FEE,
    currency: dispute.currency,
    source: dispute.id,
  });
  return { ...dispute, balance_transactions: [booking] };
}

function movementOf(dispute: Dispute): { amount: number; currency: string; paymentIntent: string; charge: string } {
  return { amount: dispute.amount, currency: dispute.currency, paymentIntent: dispute.payment_intent, charge: dispute.charge };
}
