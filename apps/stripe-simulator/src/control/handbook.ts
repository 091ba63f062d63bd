import { testCardNames } from '../payment-methods/test-cards.js';
import { testDebitNames } from '../payment-methods/test-debits.js';

interface ControlEntry {
  control: string;
  does: string;
  example?: unknown;
}

const CONTROLS: readonly ControlEntry[] = [
  {
    control: 'POST /_sim/faults',
    does:
      'Sets a fault (or a list of them). Match by route, or method and path (":id" or "*" is one segment, "/**" at the end is all the rest), account (a key such as sk_test_a), key (an idempotency key, "*" is anything); ' +
      'then nth (one number or a list, counted over matching requests), probability with seed, burst {size, every}, count (how often at most), forMs. A rule without nth or count stays until it is deleted. ' +
      'phase: before (nothing was done), after (all was done, the answer suffers), body (as after, half of the body is sent). ' +
      'action: delay (ms), hang (until the caller leaves, or ms), reset, truncate, html, json (without "error"), garbage, 401, 403, 409, 429 (reason; "" for none), lock_timeout, 500 (stored under the key; stored: false for not), any other status of an error. ' +
      'Also: status, headers, body (a text, or what becomes JSON), retryAfterSeconds. The official client sends once more after a reset: use count 2 to have it seen.',
    example: [
      { route: 'POST /v1/payment_intents/:id/confirm', phase: 'after', action: 'reset', count: 2 },
      { route: 'POST /v1/payment_intents', nth: 2, action: '500' },
      { account: 'sk_test_a', probability: 0.1, seed: 42, phase: 'after', action: 'hang' },
      { path: '/v1/refunds', action: 'delay', ms: 1500, count: 1 },
      { path: '/v1/**', action: '429', reason: 'global-rate', burst: { size: 5, every: 50 }, forMs: 10000 },
      {
        route: 'POST /v1/refunds',
        action: '400',
        body: { error: { type: 'invalid_request_error', code: 'parameter_unknown', message: 'Received unknown parameter: foo' } },
        count: 1,
      },
      { match: { key: 'op_*' }, phase: 'body', action: 'truncate', count: 1 },
    ],
  },
  { control: 'GET /_sim/faults', does: 'Lists the faults that are set, with how often each matched (seen) and struck.' },
  { control: 'DELETE /_sim/faults', does: 'Takes all faults away; /_sim/faults/{id} one.' },
  {
    control: 'POST /_sim/webhooks',
    does:
      'Sets a fault of webhook delivery. Match by type ("charge.*" too), account, object (its id); nth, probability with seed, count. ' +
      'action: duplicate (times), twin (a second event for the same fact), reorder (window, ms), delay (ms), drop, forge (unknown secret), tamper, old_timestamp (ageSeconds), wrong_version, thin; ' +
      'or at once: resend (event), reset (takes all away).',
    example: [
      { action: 'duplicate', times: 4 },
      { action: 'reorder', window: 5 },
      { action: 'delay', ms: 3000, type: 'payment_intent.succeeded' },
      { action: 'drop', probability: 0.2, seed: 7 },
      { action: 'forge', count: 1 },
    ],
  },
  { control: 'GET /_sim/webhooks', does: 'Lists these faults, and the last 1000 attempts of delivery.' },
  { control: 'DELETE /_sim/webhooks', does: 'Takes all of them away; /_sim/webhooks/{id} one.' },
  {
    control: 'POST /_sim/clock',
    does: 'Moves the virtual clock forward and makes everything happen that falls due: authorizations lapse after 7 days, sessions expire, debits settle after 3 days, keys are forgotten after 24 hours, events after 30 days.',
    example: { advanceSeconds: 90000 },
  },
  { control: 'GET /_sim/clock', does: 'offsetSeconds, offsetMs and now of the virtual clock.' },
  {
    control: 'GET /_sim/journal?account=sk_test_a&kind=effect',
    does: 'Every request and every effect in order, and the totals of money moved by currency and by intent: the ground truth. Narrowed by account, kind (request or effect), key, paymentIntent, afterSeq and limit.',
  },
  {
    control: 'POST /_sim/payment_intents/{id}/next_action',
    does: 'Authenticates for the buyer, as the page of next_action.redirect_to_url.url does; /_sim/setup_intents/{id}/next_action likewise.',
    example: { outcome: 'succeeded' },
  },
  {
    control: 'POST /_sim/payment_intents/{id}/settle',
    does: 'Lets the bank answer a payment that is processing.',
    example: { outcome: 'failed' },
  },
  {
    control: 'POST /_sim/refunds/{id}/settle',
    does: 'Ends a pending refund, or fails one that had succeeded.',
    example: { outcome: 'failed' },
  },
  { control: 'POST /_sim/charges/{id}/dispute', does: 'Opens a dispute.', example: { reason: 'fraudulent', inquiry: false } },
  { control: 'POST /_sim/disputes/{id}/close', does: 'Decides a dispute.', example: { outcome: 'won' } },
  {
    control: 'POST /_sim/checkout/sessions/{id}/pay',
    does: 'Pays a session without its page.',
    example: { paymentMethod: 'pm_card_visa' },
  },
  {
    control: 'POST /_sim/settings',
    does: 'latencyMs of every answer; searchLagMs until search sees an object; keyInUseErrorType of the 409 for a key in use.',
    example: { latencyMs: 20, searchLagMs: 1000, keyInUseErrorType: 'idempotency_error' },
  },
  { control: 'GET /_sim/accounts', does: 'The accounts used so far, with their keys.' },
  {
    control: 'POST /_sim/reset',
    does: 'Forgets everything, faults and clock included; or one account.',
    example: { account: 'sk_test_a' },
  },
];

/** What `GET /_sim` tells. */
export function handbook(url: string): object {
  return {
    simulator: 'A stateful local Stripe.',
    api: `${url}/v1`,
    keys: 'Any sk_test_X is an account of its own; pk_test_X is the same account seen from a browser.',
    cards: testCardNames().map((name) => `pm_card_${name}`),
    delayedMethods: testDebitNames(),
    controls: CONTROLS,
  };
}
