import type { Account } from '../core/account.js';
import { StripeError } from '../http/stripe-error.js';
import type { IdempotencyRecord } from './idempotency-record.js';

/** Stripe may forget a key once it is this old; the simulator does so at once, which is the harder case. */
const KEY_RETENTION_SECONDS = 24 * 3600;
const KEY_CHARACTERS_MAX = 255;

/** Keys are scoped to the account and apply to POST alone. Source: https://docs.stripe.com/api/idempotent_requests */
export class IdempotencyKeys {
  /** Fingerprints of the requests that are executing right now, by account and key. */
  readonly #inFlight = new Map<string, string>();

  /**
   * The stored answer to replay, or undefined if the request is the first.
   * Throws 400 when the key belongs to another request and 409 while its first is still executing.
   */
  find(
    account: Account,
    key: string,
    fingerprint: string,
    at: number,
    inUseType: 'idempotency_error' | 'invalid_request_error',
  ): IdempotencyRecord | undefined {
    const running = this.#inFlight.get(slot(account, key));
    if (running !== undefined) {
      if (running !== fingerprint) throw otherParameters(key);
      throw keyInUse(key, inUseType);
    }
    const record = account.find('idempotency_records', key);
    if (record === undefined || at - record.created >= KEY_RETENTION_SECONDS) return undefined;
    if (record.fingerprint !== fingerprint) throw otherParameters(key);
    return record;
  }

  begin(account: Account, key: string, fingerprint: string): void {
    this.#inFlight.set(slot(account, key), fingerprint);
  }

  /** The request is over; `record` is what its key keeps, if it keeps anything. */
  end(account: Account, key: string, record: IdempotencyRecord | undefined): void {
    this.#inFlight.delete(slot(account, key));
    if (record !== undefined) account.save('idempotency_records', record);
  }
}

/** The key of a request, checked. Undefined where there is none, or where it has no meaning. */
export function idempotencyKeyOf(method: string, header: string | undefined): string | undefined {
  if (method !== 'POST' || header === undefined) return undefined;
  if (header.length > 0 && header.length <= KEY_CHARACTERS_MAX) return header;
  const message =
    header.length === 0
      ? 'Idempotency keys may not be empty.'
      : `Idempotency keys may be at most ${KEY_CHARACTERS_MAX} characters long; the one given has ${header.length}.`;
  throw new StripeError(400, { message, kept: false });
}

export function keyInUse(key: string | undefined, type: 'idempotency_error' | 'invalid_request_error'): StripeError {
  return new StripeError(409, {
    type,
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key${key === undefined ? '' : ` (${key})`}. Please try again later.`,
    kept: false,
  });
}

function otherParameters(key: string): StripeError {
  return new StripeError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    kept: false,
  });
}

function slot(account: Account, key: string): string {
  return `${account.id} ${key}`;
}
