import { recordChargeFee } from '../balance/balance-transactions.js';
import type { Charge } from '../charges/charge.js';
import { followPayment } from '../checkout/session-progress.js';
import { type Act, journalEffect } from '../core/act.js';
import { emit } from '../events/emit.js';
import { invalidRequest } from '../http/stripe-error.js';
import { usePaymentMethod } from '../payment-methods/payment-methods.js';
import { refuseTooPrecise } from './amounts.js';
import { attemptPayment } from './attempt.js';
import { intentSecret } from './confirm.js';
import { authenticationFailure, debitFailure, refuseUnless } from './intent-errors.js';
import type { PaymentIntent } from './payment-intent.js';

/** Takes an authorized amount, or part of it; the rest is released. */
export function capture(act: Act, intent: PaymentIntent, amountToCapture: number | undefined): PaymentIntent {
  refuseUnless(intent, ['requires_capture'], 'captured', 'captured');
  const amount = amountToCapture ?? intent.amount_capturable;
  if (amount < 1 || amount > intent.amount_capturable) {
    throw invalidRequest(
      `The amount to capture (${amount}) must be at least 1 and at most the amount capturable (${intent.amount_capturable}).`,
      {
        code: amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large',
        param: 'amount_to_capture',
      },
    );
  }
  refuseTooPrecise(amount, intent.currency, 'amount_to_capture');
  const { account } = act;
  const before = latestCharge(act, intent);
  const charge = recordChargeFee(act, { ...before, captured: true, amount_captured: amount });
  const captured = account.save('payment_intents', { ...intent, status: 'succeeded', amount_received: amount, amount_capturable: 0 });
  const movement = { currency: intent.currency, paymentIntent: intent.id, charge: charge.id };
  journalEffect(act, 'captured', { ...movement, amount });
  if (amount < intent.amount_capturable) journalEffect(act, 'released', { ...movement, amount: intent.amount_capturable - amount });
  emit(act, 'charge.captured', charge, before);
  emit(act, 'payment_intent.succeeded', captured);
  followPayment(act, captured);
  return captured;
}

export type CancellationReason = 'abandoned' | 'automatic' | 'duplicate' | 'fraudulent' | 'requested_by_customer';

/** Ends an intent that has not been paid; an authorization is released. */
export function cancel(act: Act, intent: PaymentIntent, reason: CancellationReason | null): PaymentIntent {
  refuseUnless(intent, ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action'], 'canceled', 'canceled');
  if (intent.status !== 'requires_capture' && intentSecret(act, intent.id).checkoutSession !== null && reason !== 'automatic') {
    throw invalidRequest(
      'You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Checkout Session instead.',
      {
        code: 'payment_intent_unexpected_state',
      },
    );
  }
  const canceled = act.account.save('payment_intents', {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: act.at,
    cancellation_reason: reason,
    next_action: null,
  });
  if (intent.status === 'requires_capture') release(act, intent, reason === 'automatic');
  emit(act, 'payment_intent.canceled', canceled);
  return canceled;
}

function release(act: Act, intent: PaymentIntent, lapsed: boolean): void {
  const before = latestCharge(act, intent);
  const charge = act.account.save('charges', { ...before, amount_refunded: before.amount, refunded: true });
  journalEffect(act, 'released', {
    amount: intent.amount_capturable,
    currency: intent.currency,
    paymentIntent: intent.id,
    charge: charge.id,
  });
  emit(act, lapsed ? 'charge.expired' : 'charge.refunded', charge, before);
}

/** The buyer has come to the page of `next_action` and authenticated, or not. */
export function finishAuthentication(act: Act, intent: PaymentIntent, outcome: 'succeeded' | 'failed'): PaymentIntent {
  refuseUnless(intent, ['requires_action'], 'authenticated', 'authenticated');
  const method = usePaymentMethod(act, intent.payment_method ?? '');
  if (outcome === 'failed') {
    const failed = act.account.save('payment_intents', {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      next_action: null,
      last_payment_error: authenticationFailure(method),
    });
    emit(act, 'payment_intent.payment_failed', failed);
    followPayment(act, failed);
    return failed;
  }
  if (intent.confirmation_method === 'manual') {
    act.account.save('payment_intent_secrets', { ...intentSecret(act, intent.id), authenticated: true });
    return act.account.save('payment_intents', { ...intent, status: 'requires_confirmation', next_action: null });
  }
  return attemptPayment(act, {
    intent,
    method,
    offSession: false,
    errorOnRequiresAction: false,
    useStripeSdk: false,
    returnUrl: null,
    authenticated: true,
  }).intent;
}

/** The bank has answered a delayed payment. */
export function settle(act: Act, intent: PaymentIntent, outcome: 'succeeded' | 'failed'): PaymentIntent {
  refuseUnless(intent, ['processing'], 'settled', 'settled');
  const before = latestCharge(act, intent);
  const movement = { amount: intent.amount, currency: intent.currency, paymentIntent: intent.id, charge: before.id };
  if (outcome === 'failed') {
    const failure = debitFailure(before.id, usePaymentMethod(act, intent.payment_method ?? ''));
    const charge = act.account.save('charges', {
      ...before,
      status: 'failed',
      captured: false,
      amount_captured: 0,
      failure_code: 'insufficient_funds',
      failure_message: failure.message,
    });
    const failed = act.account.save('payment_intents', {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: failure,
    });
    journalEffect(act, 'debit_failed', movement);
    emit(act, 'charge.failed', charge);
    emit(act, 'payment_intent.payment_failed', failed);
    followPayment(act, failed);
    return failed;
  }
  const charge = recordChargeFee(act, { ...before, status: 'succeeded', paid: true });
  const succeeded = act.account.save('payment_intents', { ...intent, status: 'succeeded', amount_received: intent.amount });
  journalEffect(act, 'captured', movement);
  emit(act, 'charge.succeeded', charge);
  emit(act, 'payment_intent.succeeded', succeeded);
  followPayment(act, succeeded);
  return succeeded;
}

function latestCharge(act: Act, intent: PaymentIntent): Charge {
  const charge = act.account.find('charges', intent.latest_charge ?? '');
  if (charge === undefined) throw new Error(`payment intent ${intent.id} is ${intent.status} without a charge`);
  return charge;
}
