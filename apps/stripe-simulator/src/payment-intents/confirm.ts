import type { Act } from '../core/act.js';
import { invalidRequest } from '../http/stripe-error.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import { refuseUnusable, usePaymentMethod } from '../payment-methods/payment-methods.js';
import { attemptPayment, type AttemptResult } from './attempt.js';
import { refuseUnless, unexpectedState } from './intent-errors.js';
import type { PaymentIntent, PaymentIntentSecret } from './payment-intent.js';

export interface Confirmation {
  /** The method to pay with, instead of the one the intent has. */
  method: PaymentMethod | undefined;
  offSession: boolean;
  errorOnRequiresAction: boolean;
  useStripeSdk: boolean;
  returnUrl: string | undefined;
  /** Browsers handle redirects themselves; a server must say where the buyer is to come back. */
  byBrowser: boolean;
}

/** Types that never send the buyer elsewhere. */
const STAYS_ON_PAGE = new Set([
  'card',
  'sepa_debit',
  'us_bank_account',
  'au_becs_debit',
  'bacs_debit',
  'acss_debit',
  'link',
  'boleto',
  'oxxo',
  'konbini',
]);

/** Tries to collect the payment. The result's error is the answer of a refusal that has nevertheless taken effect. */
export function confirmPaymentIntent(act: Act, before: PaymentIntent, confirmation: Confirmation): AttemptResult {
  refuseUnconfirmable(before);
  refuseMissingReturnUrl(before, confirmation);
  const method = confirmation.method ?? (before.payment_method === null ? undefined : usePaymentMethod(act, before.payment_method));
  if (method === undefined) throw missingMethod(before);
  refuseDisallowedType(before, method);
  refuseUnusable(act, method, before.customer);
  const secret = intentSecret(act, before.id);
  // A new method has to be authenticated anew, even where the one before was.
  const authenticated = secret.authenticated && method.id === before.payment_method;
  act.account.save('payment_intent_secrets', { ...secret, returnUrl: confirmation.returnUrl ?? secret.returnUrl, authenticated: false });
  return attemptPayment(act, {
    intent: { ...before, payment_method: method.id },
    method,
    offSession: confirmation.offSession,
    errorOnRequiresAction: confirmation.errorOnRequiresAction,
    useStripeSdk: confirmation.useStripeSdk,
    returnUrl: confirmation.returnUrl ?? null,
    authenticated,
  });
}

export function intentSecret(act: Act, id: string): PaymentIntentSecret {
  const secret = act.account.find('payment_intent_secrets', id);
  if (secret === undefined) throw new Error(`payment intent ${id} has no hidden half`);
  return secret;
}

function refuseUnconfirmable(intent: PaymentIntent): void {
  if (intent.status === 'succeeded') {
    throw unexpectedState(
      intent,
      'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.',
    );
  }
  refuseUnless(intent, ['requires_payment_method', 'requires_confirmation', 'requires_action'], 'confirmed', 'confirmed');
}

function refuseMissingReturnUrl(intent: PaymentIntent, confirmation: Confirmation): void {
  if (confirmation.returnUrl !== undefined || confirmation.byBrowser || !mayRedirect(intent)) return;
  throw invalidRequest(
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
  );
}

function mayRedirect(intent: PaymentIntent): boolean {
  if (intent.allowed_payment_method_types !== null) return intent.allowed_payment_method_types.some((type) => !STAYS_ON_PAGE.has(type));
  return intent.automatic_payment_methods?.allow_redirects !== 'never';
}

function missingMethod(intent: PaymentIntent): Error {
  return unexpectedState(
    intent,
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
  );
}

function refuseDisallowedType(intent: PaymentIntent, method: PaymentMethod): void {
  const restricted = intent.allowed_payment_method_types !== null || intent.excluded_payment_method_types !== null;
  if (!restricted || intent.payment_method_types.includes(method.type)) return;
  throw invalidRequest(
    `The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod with one of the following types: ${intent.payment_method_types.join(', ')}.`,
    { param: 'payment_method' },
  );
}
