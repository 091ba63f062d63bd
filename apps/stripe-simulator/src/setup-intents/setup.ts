import type { Act } from '../core/act.js';
import { emit } from '../events/emit.js';
import { docUrl, invalidRequest, StripeError } from '../http/stripe-error.js';
import { authenticationFailure } from '../payment-intents/intent-errors.js';
import type { LastPaymentError } from '../payment-intents/payment-intent.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import { attach, refuseUnusable, secretOf, usePaymentMethod } from '../payment-methods/payment-methods.js';
import type { Decline } from '../payment-methods/test-cards.js';
import type { SetupIntent } from './setup-intent.js';

export interface SetupResult {
  intent: SetupIntent;
  error?: StripeError;
}

/** Prepares a method for later payments; the result's error is the answer of a refusal that has taken effect. */
export function confirmSetupIntent(
  act: Act,
  before: SetupIntent,
  given: { method: PaymentMethod | undefined; returnUrl: string | undefined },
): SetupResult {
  refuseUnless(before, ['requires_payment_method', 'requires_confirmation', 'requires_action'], 'confirmed');
  const method = given.method ?? (before.payment_method === null ? undefined : usePaymentMethod(act, before.payment_method));
  if (method === undefined) throw unexpectedState(before, "You cannot confirm this SetupIntent because it's missing a payment method.");
  refuseUnusable(act, method, before.customer ?? method.customer);
  act.account.save('setup_intent_secrets', { id: before.id, created: before.created, returnUrl: given.returnUrl ?? null });
  const { instrument, setUpForOffSession } = secretOf(act, method);
  if (instrument.kind === 'debit') return { intent: succeeded(act, before, method) };
  const { authentication, decline, attaches } = instrument.card;
  const mustAuthenticate = authentication === 'always' || (authentication === 'until_set_up' && !setUpForOffSession);
  if (mustAuthenticate) return { intent: requiresAction(act, before, method, given.returnUrl ?? null) };
  if (decline !== null && !attaches) return declined(act, before, method, decline);
  return { intent: succeeded(act, before, method) };
}

/** The buyer has come to the page of `next_action` and authenticated, or not. */
export function finishSetupAuthentication(act: Act, intent: SetupIntent, outcome: 'succeeded' | 'failed'): SetupIntent {
  refuseUnless(intent, ['requires_action'], 'authenticated');
  const method = usePaymentMethod(act, intent.payment_method ?? '');
  if (outcome === 'succeeded') return succeeded(act, intent, method);
  const code = 'setup_intent_authentication_failure';
  return failed(act, intent, { ...authenticationFailure(method), code, doc_url: docUrl(code) });
}

export function cancelSetupIntent(act: Act, intent: SetupIntent, reason: string | null): SetupIntent {
  refuseUnless(intent, ['requires_payment_method', 'requires_confirmation', 'requires_action'], 'canceled');
  const canceled = act.account.save('setup_intents', { ...intent, status: 'canceled', cancellation_reason: reason, next_action: null });
  emit(act, 'setup_intent.canceled', canceled);
  return canceled;
}

function requiresAction(act: Act, intent: SetupIntent, method: PaymentMethod, returnUrl: string | null): SetupIntent {
  const url = `${act.pagesUrl}/_sim/pages/authenticate/${intent.id}`;
  const waiting = act.account.save('setup_intents', {
    ...intent,
    status: 'requires_action',
    payment_method: method.id,
    next_action: { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } },
  });
  emit(act, 'setup_intent.requires_action', waiting);
  return waiting;
}

function succeeded(act: Act, intent: SetupIntent, method: PaymentMethod): SetupIntent {
  act.account.save('payment_method_secrets', { ...secretOf(act, method), setUpForOffSession: intent.usage === 'off_session' });
  if (intent.customer !== null) attach(act, method, intent.customer);
  const done = act.account.save('setup_intents', {
    ...intent,
    status: 'succeeded',
    payment_method: method.id,
    next_action: null,
    last_setup_error: null,
  });
  emit(act, 'setup_intent.succeeded', done);
  return done;
}

function declined(act: Act, intent: SetupIntent, method: PaymentMethod, decline: Decline): SetupResult {
  const error: LastPaymentError = {
    code: decline.code,
    ...(decline.declineCode === null ? {} : { decline_code: decline.declineCode }),
    doc_url: docUrl(decline.code),
    message: decline.message,
    payment_method: method,
    type: 'card_error',
  };
  const left = failed(act, intent, error);
  const { type, code, message, doc_url: _, ...details } = error;
  return { intent: left, error: new StripeError(402, { type, code, message, details: { ...details, setup_intent: left } }) };
}

function failed(act: Act, intent: SetupIntent, error: LastPaymentError): SetupIntent {
  const left = act.account.save('setup_intents', {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: error,
  });
  emit(act, 'setup_intent.setup_failed', left);
  return left;
}

function refuseUnless(intent: SetupIntent, allowed: readonly SetupIntent['status'][], done: string): void {
  if (allowed.includes(intent.status)) return;
  throw unexpectedState(intent, `This SetupIntent could not be ${done} because it has a status of ${intent.status}.`);
}

function unexpectedState(intent: SetupIntent, message: string): StripeError {
  return invalidRequest(message, { code: 'setup_intent_unexpected_state', details: { setup_intent: intent } });
}
