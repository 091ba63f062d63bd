import { docUrl, invalidRequest, StripeError } from '../http/stripe-error.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import type { Decline } from '../payment-methods/test-cards.js';
import type { LastPaymentError, PaymentIntent, PaymentIntentStatus } from './payment-intent.js';

/** The intent is in a state that does not allow what was asked; its present state comes with the error. */
export function unexpectedState(intent: PaymentIntent, message: string): StripeError {
  return invalidRequest(message, { code: 'payment_intent_unexpected_state', details: { payment_intent: intent } });
}

export function refuseUnless(intent: PaymentIntent, allowed: readonly PaymentIntentStatus[], doing: string, done: string): void {
  if (allowed.includes(intent.status)) return;
  throw unexpectedState(
    intent,
    `This PaymentIntent could not be ${doing} because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be ${done}: ${allowed.join(', ')}.`,
  );
}

/** What `last_payment_error` says after the issuer refused. */
export function declineError(decline: Decline, chargeId: string, method: PaymentMethod): LastPaymentError {
  return {
    ...(decline.declineCode === 'insufficient_funds' ? { advice_code: 'try_again_later' } : {}),
    charge: chargeId,
    code: decline.code,
    ...(decline.declineCode === null ? {} : { decline_code: decline.declineCode }),
    doc_url: docUrl(decline.code),
    message: decline.message,
    ...(decline.param === undefined ? {} : { param: decline.param }),
    payment_method: method,
    type: 'card_error',
  };
}

/** What `last_payment_error` says when the buyer did not authenticate. */
export function authenticationFailure(method: PaymentMethod): LastPaymentError {
  return {
    code: 'payment_intent_authentication_failure',
    doc_url: docUrl('payment_intent_authentication_failure'),
    message:
      'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
    payment_method: method,
    type: 'invalid_request_error',
  };
}

/** What `last_payment_error` says when the bank returned a debit. */
export function debitFailure(chargeId: string, method: PaymentMethod): LastPaymentError {
  return {
    charge: chargeId,
    code: 'payment_intent_payment_attempt_failed',
    doc_url: docUrl('payment_intent_payment_attempt_failed'),
    message: 'The payment failed.',
    payment_method: method,
    type: 'invalid_request_error',
  };
}

/** The 402 of a refused payment: `last_payment_error`, with the whole intent beside it. */
export function paymentFailed(intent: PaymentIntent): StripeError {
  const { type, code, message, param, doc_url: _, ...details } = intent.last_payment_error ?? NO_ERROR;
  return new StripeError(402, { type, code, message, param, details: { ...details, payment_intent: intent } });
}

const NO_ERROR: LastPaymentError = {
  type: 'card_error',
  code: 'card_declined',
  message: 'Your card was declined.',
  doc_url: docUrl('card_declined'),
};
