import { unauthenticated } from '../api/authentication.js';
import { keyInUse } from '../api/idempotency.js';
import type { World } from '../core/world.js';
import type { Reply } from '../http/exchange.js';
import { StripeError } from '../http/stripe-error.js';
import type { ArmedFault } from './faults.js';

/** What a fault answers instead of Stripe: an error in Stripe's words, something foreign, or nothing of its own. */
export type FaultReply = { kind: 'error'; error: StripeError } | { kind: 'foreign'; reply: Reply } | { kind: 'none' };

export function faultReply(fault: ArmedFault, world: World, key: string | undefined): FaultReply {
  switch (fault.action) {
    case 'delay':
    case 'hang':
    case 'reset':
    case 'truncate':
      return { kind: 'none' };
    case 'html':
      return foreign(
        fault,
        'text/html; charset=utf-8',
        '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n',
      );
    case 'json':
      return foreign(fault, 'application/json', '{"message":"Bad gateway"}');
    case 'garbage':
      return {
        kind: 'foreign',
        reply: { ...foreign(fault, 'application/json', '\u0000\ufffd{"id": "pi_\u0001,,').reply, status: fault.status ?? 200 },
      };
    case 'unauthorized':
      return error(withHeaders(fault, unauthenticated('Invalid API Key provided: sk_test_***')));
    case 'forbidden':
      return error(
        refusal(fault, 403, {
          message: 'The provided key does not have access to this account (or the account does not exist).',
          code: 'account_invalid',
        }),
      );
    case 'conflict':
      return error(withHeaders(fault, keyInUse(key, world.temper.keyInUseErrorType)));
    case 'rate_limit':
      return error(
        refusal(fault, 429, {
          code: 'rate_limit',
          message: 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
          headers: fault.reason === '' ? {} : { 'Stripe-Rate-Limited-Reason': fault.reason ?? 'global-rate' },
        }),
      );
    case 'lock_timeout':
      return error(
        refusal(fault, 429, {
          code: 'lock_timeout',
          message:
            'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.',
          headers: { 'Stripe-Should-Retry': 'true' },
        }),
      );
    case 'error':
      return error(
        refusal(fault, fault.status ?? 500, {
          ...wordsOf(fault.status ?? 500),
          message: 'An unknown error occurred',
          kept: fault.stored ?? (fault.status ?? 500) === 500,
        }),
      );
  }
}

/** How Stripe words an error of this status. */
function wordsOf(status: number): Pick<StripeError['fields'], 'type' | 'code' | 'details'> {
  if (status === 402) return { type: 'card_error', code: 'card_declined', details: { decline_code: 'generic_decline' } };
  if (status === 424 || status >= 500) return { type: 'api_error' };
  return { type: 'invalid_request_error' };
}

function error(stripeError: StripeError): FaultReply {
  return { kind: 'error', error: stripeError };
}

function refusal(fault: ArmedFault, status: number, fields: StripeError['fields']): StripeError {
  return withHeaders(fault, new StripeError(fault.status ?? status, { kept: false, ...fields }));
}

function withHeaders(fault: ArmedFault, stripeError: StripeError): StripeError {
  const retryAfter = fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
  return new StripeError(stripeError.status, {
    ...stripeError.fields,
    ...(fault.body === undefined ? {} : { rawBody: fault.body }),
    headers: { ...stripeError.fields.headers, ...retryAfter, ...fault.headers },
  });
}

function foreign(fault: ArmedFault, contentType: string, body: string): { kind: 'foreign'; reply: Reply } {
  const retryAfter = fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
  return {
    kind: 'foreign',
    reply: {
      status: fault.status ?? 502,
      headers: { 'Content-Type': contentType, ...retryAfter, ...fault.headers },
      body: fault.body ?? body,
    },
  };
}
