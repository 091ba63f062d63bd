import { formatApiKey, hashApiKey } from '../../apps/api/src/callers/api-key.js';
import { type TestDatabase } from './database.js';

/** What test APIs hash stored keys with. */
export const KEY_PEPPER = 'a pepper for the keys that tests store themselves';

/** The account of the n-th development keys. */
export function developmentAccount(position: 1 | 2): string {
  return `00000000-0000-7000-8000-00000000000${position}`;
}

/** What of a key a test may choose. */
interface KeyTraits {
  readonly accountId?: string;
  readonly audience?: 'secret' | 'publishable';
  readonly mode?: 'test' | 'live';
  readonly scopes?: readonly string[];
  readonly origins?: readonly string[];
  readonly ipRanges?: readonly string[];
  readonly expiresAt?: Date;
}

const EVERY_SCOPE = ['orders:write', 'orders:read', 'prices:write', 'prices:read', 'ops', 'keys'];

/** Stores an API key as an operator would have made it, by default a secret one of the first account with every scope. */
export async function storeApiKey(database: TestDatabase, traits: KeyTraits = {}): Promise<{ id: string; key: string }> {
  const {
    accountId = developmentAccount(1),
    audience = 'secret',
    mode = 'test',
    scopes = EVERY_SCOPE,
    origins = [],
    ipRanges = [],
    expiresAt = null,
  } = traits;
  const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
  const key = formatApiKey({ id, audience, mode }, crypto.randomUUID().replaceAll('-', ''));
  await database.query(
    `INSERT INTO api_keys (id, account_id, mode, audience, hash, name, scopes, origins, ip_ranges, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, 'of a test', $6, $7, $8, now(), $9)`,
    [id, accountId, mode, audience, hashApiKey(key, KEY_PEPPER), scopes, origins, ipRanges, expiresAt],
  );
  return { id, key };
}
