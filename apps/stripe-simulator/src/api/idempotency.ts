import { createHash } from 'node:crypto';
import type { Account } from '../core/account.js';
import type { RawParams } from '../http/form.js';
import { StripeError } from '../http/stripe-error.js';

/** The first answer under a key. Its id is the key. */
export interface IdempotencyRecord {
  id: string;
  /** When the first request began, seconds on the virtual clock. */
  created: number;
  fingerprint: string;
  status: number;
  body: string;
  requestId: string;
}

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
  find(account: Account, key: string, fingerprint: string, at: number, inUseType: 'idempotency_error' | 'invalid_request_error'): IdempotencyRecord | undefined {
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

/** What makes two requests the same: endpoint and parameters, in whatever order these were written. */
export function fingerprintOf(method: string, path: string, params: RawParams): string {
  return createHash('sha1').update(`${method} ${path} ${canonical(params)}`).digest('base64');
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

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

function slot(account: Account, key: string): string {
  return `${account.id} ${key}`;
}
