import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

// Bytes are drawn in one block: asking the system for 24 of them per id would be the costliest part of a request.
const POOL_BYTES = 16_384;
let pool = randomBytes(POOL_BYTES);
let used = 0;

/** Random letters and digits, as Stripe's ids have them after their prefix. */
export function randomToken(length: number): string {
  let token = '';
  while (token.length < length) {
    if (used === POOL_BYTES) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    // 62 does not divide 256, so the last 8 byte values are skipped rather than favouring the first letters.
    const byte = pool[used++] ?? 255;
    if (byte < 248) token += ALPHABET[byte % 62];
  }
  return token;
}

/** A new Stripe-like id, e.g. `pi_3Pq...`. */
export function newId(prefix: string): string {
  return `${prefix}_${randomToken(24)}`;
}

/** A request id, shorter than an object's as Stripe's are. */
export function newRequestId(): string {
  return `req_${randomToken(14)}`;
}
