import { randomBytes } from 'node:crypto';
import { TypeID } from 'typeid-js';
import { uuidv7 } from 'uuidv7';

/** What each kind of public id starts with. Source: TypeID specification 0.3. */
export type IdPrefix = 'ord' | 'pay' | 'ref' | 'op' | 'oev' | 'rec' | 'aud';

/** The only source of ids, secrets and chance. */
export interface Entropy {
  /** A new UUIDv7: time-ordered, so that indexes grow at one end and "newest first" is an order by id. */
  uuid(): string;
  /** An unguessable URL-safe string of `bytes` random bytes. */
  secret(bytes: number): string;
  /** A number in [0, 1), for jitter. */
  random(): number;
}

/** Ids and chance from the operating system. */
export const systemEntropy: Entropy = {
  uuid: uuidv7,
  secret: (bytes) => randomBytes(bytes).toString('base64url'),
  random: Math.random,
};

/** The public form of a database id: `ord_01j…`. */
export function publicId(prefix: IdPrefix, uuid: string): string {
  return TypeID.fromUUID(prefix, uuid).toString();
}

/** The database id behind a public id, or null when the text is no well-formed id of that kind. */
export function uuidOf(prefix: IdPrefix, id: string): string | null {
  try {
    return TypeID.fromString(id, prefix).toUUID();
  } catch {
    return null;
  }
}
