import { observeStripeCall, type StripeOutcome } from '#libs/telemetry';

/** What is asked of Stripe, by method and path. Whatever is not listed counts as `other`: the list is what bounds the metric. */
const CALLS: readonly (readonly [method: string, path: RegExp, call: string])[] = [
  ['POST', /^\/v1\/payment_intents$/, 'create_intent'],
  ['POST', /^\/v1\/payment_intents\/\w+\/confirm$/, 'confirm_intent'],
  ['POST', /^\/v1\/payment_intents\/\w+\/capture$/, 'capture_intent'],
  ['POST', /^\/v1\/payment_intents\/\w+\/cancel$/, 'cancel_intent'],
  ['POST', /^\/v1\/checkout\/sessions$/, 'create_session'],
  ['POST', /^\/v1\/checkout\/sessions\/\w+\/expire$/, 'expire_session'],
  ['POST', /^\/v1\/refunds$/, 'create_refund'],
  ['POST', /^\/v1\/customers$/, 'create_customer'],
  ['GET', /^\/v1\/events$/, 'list_events'],
  ['GET', /^\/v1\/\w+(\/sessions)?$/, 'list'],
  ['GET', /./, 'read'],
];

/** Starts the clock of one call; the function it returns stops it and counts the call, once. */
export function timeStripeCall(method: string, pathWithQuery: string): (status: number | null) => void {
  const startedAt = performance.now();
  const path = pathWithQuery.split('?')[0] ?? '';
  const call = CALLS.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ?? 'other';
  return (status) => observeStripeCall({ call, outcome: outcomeOf(status), seconds: (performance.now() - startedAt) / 1_000 });
}

/** null: no answer came. */
function outcomeOf(status: number | null): StripeOutcome {
  if (status === null) return 'no_answer';
  if (status < 400) return 'success';
  if (status === 402) return 'declined';
  if (status === 429) return 'throttled';
  return status < 500 ? 'refused' : 'server_error';
}
