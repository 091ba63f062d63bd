import { book } from '../balance/balance-transactions.js';
import type { Charge } from '../charges/charge.js';
import { type Act, journalEffect, type Movement } from '../core/act.js';
import { emit } from '../events/emit.js';
import { invalidRequest, type StripeError } from '../http/stripe-error.js';
import { refuseTooPrecise } from '../payment-intents/amounts.js';
import { newRefund, type Refund } from './refund.js';

/** A refund of the test cards that do not succeed at once changes this much later, on the virtual clock. */
const ASYNC_REFUND_MS = 3_000;

export interface RefundRequest {
  charge: Charge;
  amount: number | undefined;
  reason: Refund['reason'];
  metadata: Record<string, string>;
}

/** Gives money back. What is refunded and what is under way together never exceed what was captured. */
export function createRefund(act: Act, request: RefundRequest): Refund {
  const { charge } = request;
  refuseUnrefundable(act, charge);
  const left = charge.amount_captured - charge.amount_refunded;
  const amount = request.amount ?? left;
  if (amount > left) {
    throw invalidRequest(
      `Refund amount (${amount} ${charge.currency}) is greater than unrefunded amount on charge (${left} ${charge.currency})`,
      {
        param: 'amount',
      },
    );
  }
  refuseTooPrecise(amount, charge.currency, 'amount');
  const behaviour = refundBehaviour(act, charge);
  const status = behaviour === 'pending' ? 'pending' : 'succeeded';
  const made = newRefund({ charge, amount, at: act.at, metadata: request.metadata, reason: request.reason, status });
  const refund = act.account.save('refunds', { ...made, balance_transaction: bookRefund(act, made, charge) });
  const refunded = withRefundedAmount(act, charge, charge.amount_refunded + amount);
  journalEffect(act, status === 'pending' ? 'refund_pending' : 'refunded', movementOf(refund));
  emit(act, 'refund.created', refund);
  emit(act, 'charge.refunded', refunded, charge);
  if (behaviour !== 'succeeded') {
    act.world.plan(
      act.account,
      'settle_refund',
      refund.id,
      act.at * 1000 + ASYNC_REFUND_MS,
      behaviour === 'pending' ? 'succeeded' : 'failed',
    );
  }
  return refund;
}

/** The bank's answer to a refund: a pending one succeeds or fails, and even a succeeded one may fail later. */
export function settleRefund(
  act: Act,
  refund: Refund,
  outcome: 'succeeded' | 'failed',
  failureReason = 'expired_or_canceled_card',
): Refund {
  if (outcome === 'succeeded') {
    if (refund.status !== 'pending' && refund.status !== 'requires_action') throw wrongStatus(refund, 'succeed');
    const { pending_reason: _, ...rest } = refund;
    const succeeded = act.account.save('refunds', { ...rest, status: 'succeeded' });
    journalEffect(act, 'refunded', movementOf(succeeded));
    emit(act, 'refund.updated', succeeded, refund);
    return succeeded;
  }
  if (refund.status === 'failed' || refund.status === 'canceled') throw wrongStatus(refund, 'fail');
  const failed = returned(act, refund, { status: 'failed', failure_reason: failureReason });
  journalEffect(act, 'refund_failed', movementOf(failed));
  emit(act, 'refund.failed', failed);
  emit(act, 'refund.updated', failed, refund);
  return failed;
}

export function cancelRefund(act: Act, refund: Refund): Refund {
  if (refund.status !== 'pending' && refund.status !== 'requires_action') throw wrongStatus(refund, 'be canceled');
  const canceled = returned(act, refund, { status: 'canceled' });
  journalEffect(act, 'refund_canceled', movementOf(canceled));
  emit(act, 'refund.updated', canceled, refund);
  return canceled;
}

/** The money of a refund that came to nothing is the merchant's again. */
function returned(act: Act, refund: Refund, ending: Pick<Refund, 'status' | 'failure_reason'>): Refund {
  const { pending_reason: _, ...rest } = refund;
  const booking = book(act, {
    type: 'refund_failure',
    reportingCategory: 'refund_failure',
    amount: refund.amount,
    currency: refund.currency,
    source: refund.id,
  });
  const ended = act.account.save('refunds', { ...rest, ...ending, failure_balance_transaction: booking.id });
  const charge = act.account.find('charges', refund.charge);
  if (charge !== undefined) withRefundedAmount(act, charge, charge.amount_refunded - refund.amount);
  return ended;
}

function withRefundedAmount(act: Act, charge: Charge, amountRefunded: number): Charge {
  return act.account.save('charges', { ...charge, amount_refunded: amountRefunded, refunded: amountRefunded >= charge.amount_captured });
}

function bookRefund(act: Act, refund: Refund, charge: Charge): string {
  const byCard = charge.payment_method_details.type === 'card';
  return book(act, {
    type: byCard ? 'refund' : 'payment_refund',
    reportingCategory: 'refund',
    amount: -refund.amount,
    currency: refund.currency,
    source: refund.id,
  }).id;
}

function refuseUnrefundable(act: Act, charge: Charge): void {
  if (charge.status !== 'succeeded') throw invalidRequest(`Charge ${charge.id} has not succeeded and cannot be refunded.`);
  if (!charge.captured)
    throw invalidRequest(`Charge ${charge.id} has not been captured. Cancel its PaymentIntent instead of refunding it.`);
  if (charge.amount_refunded >= charge.amount_captured) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  }
  const disputes = act.account
    .all('disputes')
    .page({ limit: 100, where: { field: 'charge', value: charge.id }, filter: (dispute) => dispute.charge === charge.id });
  if (disputes?.data.some((dispute) => !dispute.is_charge_refundable) === true)
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, { code: 'charge_disputed' });
}

function refundBehaviour(act: Act, charge: Charge): 'succeeded' | 'pending' | 'fails_later' {
  const instrument = act.account.find('payment_method_secrets', charge.payment_method)?.instrument;
  if (instrument === undefined) return 'succeeded';
  // A bank needs days for what a card does at once.
  return instrument.kind === 'card' ? instrument.card.refund : 'pending';
}

function wrongStatus(refund: Refund, doing: string): StripeError {
  return invalidRequest(`Refund ${refund.id} has a status of ${refund.status} and cannot ${doing}.`);
}

function movementOf(refund: Refund): Movement {
  return {
    amount: refund.amount,
    currency: refund.currency,
    paymentIntent: refund.payment_intent,
    charge: refund.charge,
    refund: refund.id,
  };
}
