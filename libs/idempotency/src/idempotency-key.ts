import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { DomainError } from '#libs/primitives';

/** Who may see a stored answer: keys are separate per account, mode and audience, and never per API key, so that rotation keeps retries. */
export interface IdempotencyScope {
  readonly accountId: string;
  readonly mode: 'test' | 'live';
  readonly audience: 'publishable' | 'secret';
}

/** One attempt to run a command: the client's key within its scope, and what the client asks for. */
export interface IdempotentRequest {
  readonly scope: IdempotencyScope;
  readonly key: string;
  readonly fingerprint: string;
}

const BARE = /^[\x21-\x7e]{1,255}$/;
/** A Structured-Field String (RFC 9651, 3.3.3) of visible characters; only `"` and `\` may be escaped. */
const QUOTED = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** A publishable caller's key is a bearer secret: 22 characters of base64 hold 128 bits. */
const PUBLISHABLE_MINIMUM_LENGTH = 22;

/**
 * The key in the values of the `Idempotency-Key` header, one value for each time the header was sent. `"k"` and `k` are
 * the same key. Source: draft-ietf-httpapi-idempotency-key-header, section 2.
 * Throws DomainError idempotency_key_missing or idempotency_key_invalid.
 */
export function parseIdempotencyKey(values: readonly string[], audience: IdempotencyScope['audience']): string {
  const [value, ...more] = values;
  if (value === undefined) {
    throw new DomainError(
      'idempotency_key_missing',
      'This request changes something: send an Idempotency-Key header that you keep for every retry of it.',
    );
  }
  if (more.length > 0) throw new DomainError('idempotency_key_invalid', 'The Idempotency-Key header was sent more than once.');
  const key = value.startsWith('"') ? QUOTED.exec(value)?.[1]?.replace(/\\(.)/g, '$1') : value;
  if (key === undefined || !BARE.test(key)) {
    throw new DomainError(
      'idempotency_key_invalid',
      'An Idempotency-Key is 1 to 255 visible ASCII characters, bare or as a quoted string.',
    );
  }
  if (audience === 'publishable' && key.length < PUBLISHABLE_MINIMUM_LENGTH) {
    throw new DomainError(
      'idempotency_key_invalid',
      `With a publishable key, the Idempotency-Key must be unguessable: at least ${PUBLISHABLE_MINIMUM_LENGTH} characters.`,
    );
  }
  return key;
}

/**
 * What a request asks for, as a versioned hash: method, path and the parsed body before defaults, so that neither the
 * order of members nor a later release's defaults make a retry look like another request. Source: RFC 8785 (JCS).
 */
export function fingerprintOf(method: string, path: string, body: unknown): string {
  const canonical = body === undefined ? '' : canonicalize(body);
  return `v1:${createHash('sha256').update(`${method}\n${path}\n${canonical}`).digest('base64url')}`;
}
