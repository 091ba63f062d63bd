import { journalEffect, type Act } from '../core/act.js';
import { recordChargeFee } from '../balance/balance-transactions.js';
import { AUTHORIZATION_SECONDS, type Charge, newCharge } from '../charges/charge.js';
import { followPayment } from '../checkout/session-progress.js';
import { emit } from '../events/emit.js';
import type { StripeError } from '../http/stripe-error.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import { attach, secretOf } from '../payment-methods/payment-methods.js';
import { AUTHENTICATION_REQUIRED, type Authentication, type Decline, type TestCard } from '../payment-methods/test-cards.js';
import { DEBIT_SETTLEMENT_SECONDS, type TestDebit } from '../payment-methods/test-debits.js';
import { declineError, paymentFailed } from './intent-errors.js';
import type { PaymentIntent } from './payment-intent.js';

export interface Attempt {
  intent: PaymentIntent;
  method: PaymentMethod;
  offSession: boolean;
  errorOnRequiresAction: boolean;
  /** Whether the caller's browser library handles the next action, instead of a redirect. */
  useStripeSdk: boolean;
  returnUrl: string | null;
  /** The buyer has authenticated this attempt. */
  authenticated: boolean;
}

/** How an attempt ends at once. A refusal has changed the intent as much as a success has. */
export interface AttemptResult {
  intent: PaymentIntent;
  error?: StripeError;
}

/** An asynchronous capture fills in its balance transaction about this much later. */
const ASYNC_CAPTURE_MS = 1_000;
/** A dispute of the test cards is opened this long after their charge. */
const DISPUTE_AFTER_MS = 1_000;

/** Asks the issuer (or bank) for the money. */
export function attemptPayment(act: Act, attempt: Attempt): AttemptResult {
  const { instrument, setUpForOffSession } = secretOf(act, attempt.method);
  if (instrument.kind === 'debit') return { intent: debitPending(act, attempt, instrument.debit) };
  const { card } = instrument;
  if (!attempt.authenticated && mustAuthenticate(card.authentication, setUpForOffSession, attempt.offSession)) {
    if (attempt.offSession) return declined(act, attempt, { decline: AUTHENTICATION_REQUIRED, blocked: false });
    if (attempt.errorOnRequiresAction) return declined(act, attempt, { decline: ACTION_REFUSED, blocked: false });
    return { intent: requiresAction(act, attempt) };
  }
  if (card.decline !== null) return declined(act, attempt, { decline: card.decline, blocked: card.blocked });
  return { intent: approved(act, attempt, card) };
}

const ACTION_REFUSED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message:
    "This payment required an authentication action to complete, but `error_on_requires_action` was set. When you're ready, you can upgrade your integration to handle actions at https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
};

function mustAuthenticate(authentication: Authentication, setUp: boolean, offSession: boolean): boolean {
  switch (authentication) {
    case 'none':
    case 'optional':
      return false;
    case 'always':
      return true;
    case 'until_set_up':
      return !setUp;
    case 'on_session':
      return !offSession;
  }
}

function requiresAction(act: Act, { intent, method, returnUrl, useStripeSdk }: Attempt): PaymentIntent {
  const url = `${act.pagesUrl}/_sim/pages/authenticate/${intent.id}`;
  const waiting = act.account.save('payment_intents', {
    ...intent,
    status: 'requires_action',
    payment_method: method.id,
    next_action: useStripeSdk
      ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source: `src_${intent.id.slice(3)}` } }
      : { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } },
  });
  emit(act, 'payment_intent.requires_action', waiting);
  return waiting;
}

function approved(act: Act, attempt: Attempt, card: TestCard): PaymentIntent {
  const { account } = act;
  const captured = attempt.intent.capture_method !== 'manual';
  const method = rememberUse(act, attempt);
  let charge = account.save('charges', newCharge({ ...attempt, method, at: act.at, result: { kind: 'approved', captured } }));
  if (attempt.intent.capture_method === 'automatic') charge = recordChargeFee(act, charge);
  const intent = account.save('payment_intents', {
    ...attempt.intent,
    status: captured ? 'succeeded' : 'requires_capture',
    amount_received: captured ? attempt.intent.amount : 0,
    amount_capturable: captured ? 0 : attempt.intent.amount,
    payment_method: method.id,
    latest_charge: charge.id,
    last_payment_error: null,
    next_action: null,
  });
  const movement = { amount: intent.amount, currency: intent.currency, paymentIntent: intent.id, charge: charge.id };
  journalEffect(act, 'authorized', movement);
  if (captured) journalEffect(act, 'captured', movement);
  emit(act, 'charge.succeeded', charge);
  emit(act, captured ? 'payment_intent.succeeded' : 'payment_intent.amount_capturable_updated', intent);
  planAfterApproval(act, intent, charge, card);
  followPayment(act, intent);
  return intent;
}

function planAfterApproval({ world, account, at }: Act, intent: PaymentIntent, charge: Charge, card: TestCard): void {
  const nowMs = at * 1000;
  if (intent.capture_method === 'automatic_async') world.plan(account, 'fill_balance_transaction', charge.id, nowMs + ASYNC_CAPTURE_MS);
  if (intent.capture_method === 'manual') world.plan(account, 'lapse_authorization', intent.id, nowMs + AUTHORIZATION_SECONDS * 1000);
  if (card.dispute !== null) {
    world.plan(
      account,
      'open_dispute',
      charge.id,
      nowMs + DISPUTE_AFTER_MS,
      `${card.dispute.inquiry ? 'inquiry' : 'dispute'}:${card.dispute.reason}`,
    );
  }
}

/** A method used for future use is its customer's from now on; one that belongs to nobody is spent. */
function rememberUse(act: Act, { intent, method, authenticated }: Pick<Attempt, 'intent' | 'method' | 'authenticated'>): PaymentMethod {
  const secret = secretOf(act, method);
  const kept = intent.customer !== null && intent.setup_future_usage !== null;
  const setUp = secret.setUpForOffSession || (kept && authenticated && intent.setup_future_usage === 'off_session');
  act.account.save('payment_method_secrets', { ...secret, consumed: !kept && method.customer === null, setUpForOffSession: setUp });
  return kept && intent.customer !== null ? attach(act, method, intent.customer) : method;
}

function declined(act: Act, attempt: Attempt, refusal: { decline: Decline; blocked: boolean }): AttemptResult {
  const { account } = act;
  const { method } = attempt;
  const charge = account.save('charges', newCharge({ ...attempt, at: act.at, result: { kind: 'declined', ...refusal } }));
  const intent = account.save('payment_intents', {
    ...attempt.intent,
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: charge.id,
    last_payment_error: declineError(refusal.decline, charge.id, method),
    next_action: null,
  });
  journalEffect(act, 'declined', { amount: intent.amount, currency: intent.currency, paymentIntent: intent.id, charge: charge.id });
  emit(act, 'charge.failed', charge);
  emit(act, 'payment_intent.payment_failed', intent);
  followPayment(act, intent);
  return { intent, error: paymentFailed(intent) };
}

function debitPending(act: Act, attempt: Attempt, debit: TestDebit): PaymentIntent {
  const { account, world } = act;
  const method = rememberUse(act, attempt);
  const charge = account.save('charges', newCharge({ ...attempt, method, at: act.at, result: { kind: 'pending' } }));
  const intent = account.save('payment_intents', {
    ...attempt.intent,
    status: 'processing',
    payment_method: method.id,
    latest_charge: charge.id,
    last_payment_error: null,
    next_action: null,
  });
  journalEffect(act, 'debit_pending', { amount: intent.amount, currency: intent.currency, paymentIntent: intent.id, charge: charge.id });
  emit(act, 'payment_intent.processing', intent);
  emit(act, 'charge.pending', charge);
  if (debit.outcome !== null) world.plan(account, 'settle_payment', intent.id, (act.at + DEBIT_SETTLEMENT_SECONDS) * 1000, debit.outcome);
  followPayment(act, intent);
  return intent;
}
