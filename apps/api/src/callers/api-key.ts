import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** An API key taken apart. */
export interface ParsedApiKey {
  readonly id: string;
  readonly audience: 'publishable' | 'secret';
  readonly mode: 'test' | 'live';
}

const FORMAT = /^oncepay_(sk|rk|pk)_(test|live)_([0-9A-Za-z]{8,32})_([0-9A-Za-z_-]{22,64})([0-9A-Za-z]{6})$/;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;

/**
 * Writes an API key: our own prefix, which scanners find, the id we look it up by, the secret, and a checksum against typing errors. A
 * restricted key is a secret one that says so.
 */
export function formatApiKey({ id, audience, mode }: ParsedApiKey, secret: string, isRestricted = false): string {
  const kind = audience === 'publishable' ? 'pk' : isRestricted ? 'rk' : 'sk';
  const text = `oncepay_${kind}_${mode}_${id}_${secret}`;
  return text + checksum(text);
}

/** Takes a key apart; null when it is malformed or its checksum is wrong, so that guesses never reach the database. */
export function parseApiKey(key: string): ParsedApiKey | null {
  const match = FORMAT.exec(key);
  const [, kind, mode, id] = match ?? [];
  if (id === undefined || checksum(key.slice(0, -CHECKSUM_LENGTH)) !== key.slice(-CHECKSUM_LENGTH)) return null;
  return { id, audience: kind === 'pk' ? 'publishable' : 'secret', mode: mode === 'live' ? 'live' : 'test' };
}

/** What is stored instead of a key. The pepper is not in the database, so a copy of it opens nothing. */
export function hashApiKey(key: string, pepper: string): Buffer {
  return createHmac('sha256', pepper).update(key).digest();
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let position = 0; position < CHECKSUM_LENGTH; position += 1) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
