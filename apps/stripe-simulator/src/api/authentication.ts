import type { RawParams } from '../http/form.js';
import { StripeError } from '../http/stripe-error.js';

export interface Caller {
  /** What follows `sk_test_` or `pk_test_`: both reach the same account. */
  accountName: string;
  audience: 'secret' | 'publishable';
}

const KEY_SHAPE = /^(sk|rk|pk)_test_([A-Za-z0-9_.-]+)$/;

/**
 * Who is calling: `Authorization: Bearer <key>`, the key as the name of HTTP Basic authentication, or, as browsers
 * send it, a publishable key among the parameters.
 */
export function callerOf(authorization: string | undefined, params: RawParams): Caller {
  const key = presentedKey(authorization) ?? publishableParam(params);
  if (key === undefined || key === '') {
    throw unauthenticated(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    );
  }
  const [, kind, accountName] = KEY_SHAPE.exec(key) ?? [];
  if (accountName === undefined) throw unauthenticated(`Invalid API Key provided: ${masked(key)}`);
  return { accountName, audience: kind === 'pk' ? 'publishable' : 'secret' };
}

/** The account's name in a secret or publishable key, in an account's name itself, or as given. */
export function accountNameOf(keyOrName: string): string {
  return KEY_SHAPE.exec(keyOrName)?.[2] ?? keyOrName;
}

export function unauthenticated(message: string): StripeError {
  return new StripeError(401, { message, kept: false, headers: { 'WWW-Authenticate': 'Basic realm="Stripe"' } });
}

export function secretKeyRequired(): StripeError {
  return new StripeError(403, {
    code: 'secret_key_required',
    message:
      'This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.',
    kept: false,
  });
}

function presentedKey(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme = '', credentials = ''] = authorization.trim().split(/\s+/, 2);
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(credentials, 'base64').toString('utf8').split(':', 1)[0];
}

function publishableParam(params: RawParams): string | undefined {
  return typeof params['key'] === 'string' && params['key'].startsWith('pk_') ? params['key'] : undefined;
}

function masked(key: string): string {
  return key.length <= 12 ? `${key.slice(0, 3)}***` : `${key.slice(0, 8)}***${key.slice(-4)}`;
}
