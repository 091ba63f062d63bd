import { type Database, type Tx } from '#libs/database';
import { type Clock, DomainError, type Entropy } from '#libs/primitives';
import { formatApiKey, hashApiKey } from '../callers/api-key.js';
import { type ApiKeyRow, endApiKey, findApiKey, insertApiKey, listApiKeys, revokeApiKey } from '../callers/api-key.store.js';
import { PUBLISHABLE_SCOPES, type Scope, SCOPES } from '../callers/caller.js';

/** What kinds of key there are: of all scopes, of some, and for browsers. */
export const KEY_KINDS = ['secret', 'restricted', 'publishable'] as const;

/** A key to be made. */
export interface KeyTraits {
  readonly accountId: string;
  readonly kind: (typeof KEY_KINDS)[number];
  readonly name: string;
  /** Only of a restricted key; the others have all of their kind. */
  readonly scopes: readonly Scope[];
  readonly origins: readonly string[];
  readonly ipRanges: readonly string[];
  readonly expiresAt: Date | null;
}

/** A key just made: what is stored of it, and the key itself, which nobody can show again. */
export interface MadeKey {
  readonly row: ApiKeyRow;
  readonly key: string;
}

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly mode: 'test' | 'live';
  readonly pepper: string;
}

/** 190 bits in base 62: a key is one word to whoever selects it, and its parts are told apart by their underscores. */
const SECRET_LENGTH = 32;

/** Whatever else is asked for, such as a NUL character, which no database takes, names no key. */
const KEY_ID = /^(key_)?[0-9A-Za-z]{8,32}$/;

/** Makes, lists, rotates and revokes API keys, for the API and for the command line. */
export class ApiKeys {
  constructor(private readonly deps: Dependencies) {}

  get database(): Database {
    return this.deps.database;
  }

  /** Makes a key. */
  async make(tx: Tx, { kind, scopes, ...traits }: KeyTraits): Promise<MadeKey> {
    const audience = kind === 'publishable' ? 'publishable' : 'secret';
    const granted = { secret: SCOPES, restricted: scopes, publishable: PUBLISHABLE_SCOPES }[kind];
    return this.#insert(tx, { ...traits, audience, restricted: kind === 'restricted', scopes: granted, replaces: null });
  }

  /** The key of an account with this id, or of any without one. Throws DomainError not_found. */
  async find(tx: Tx, id: string, accountId: string | null): Promise<ApiKeyRow> {
    const row = KEY_ID.test(id) ? await findApiKey(tx, id.replace(/^key_/, '')) : null;
    if (row === null || row.mode !== this.deps.mode || (accountId !== null && row.accountId !== accountId)) throw noSuchKey();
    return row;
  }

  /** The keys of an account, or of all without one, newest first. */
  list(tx: Tx, accountId: string | null): Promise<ApiKeyRow[]> {
    return listApiKeys(tx, this.deps.mode, accountId);
  }

  /**
   * Makes a key like this one, which ends when the overlap is over, so that whoever uses it has time to change. Throws DomainError
   * not_found when it has ended already.
   */
  async rotate(tx: Tx, row: ApiKeyRow, overlapSeconds: number): Promise<MadeKey> {
    const now = this.deps.clock.now();
    if (row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= now)) throw noSuchKey();
    const { accountId, name, restricted, scopes, origins, ipRanges, expiresAt } = row;
    const audience = row.audience === 'publishable' ? 'publishable' : 'secret';
    const made = await this.#insert(tx, { accountId, name, audience, restricted, scopes, origins, ipRanges, expiresAt, replaces: row.id });
    await endApiKey(tx, row.id, new Date(now.getTime() + overlapSeconds * 1_000));
    return made;
  }

  /** Ends a key at once, in every process. Safe to repeat. */
  async revoke(tx: Tx, { id }: ApiKeyRow): Promise<ApiKeyRow> {
    await revokeApiKey(tx, id, this.deps.clock.now());
    return this.find(tx, id, null);
  }

  async #insert(tx: Tx, traits: NewKey): Promise<MadeKey> {
    const { clock, entropy, mode, pepper } = this.deps;
    const id = entropy.uuid().replaceAll('-', '');
    const secret = entropy
      .secret(2 * SECRET_LENGTH)
      .replaceAll(/[-_]/g, '')
      .slice(0, SECRET_LENGTH);
    const key = formatApiKey({ id, audience: traits.audience, mode }, secret, traits.restricted);
    const row = { ...traits, id, mode, hash: hashApiKey(key, pepper), createdAt: clock.now(), revokedAt: null, lastUsedAt: null };
    await insertApiKey(tx, row);
    return { row, key };
  }
}

type NewKey = Omit<ApiKeyRow, 'id' | 'mode' | 'audience' | 'hash' | 'createdAt' | 'revokedAt' | 'lastUsedAt'> & {
  readonly audience: 'publishable' | 'secret';
};

/** The public shape of a key. Its members come in the order of the contract. */
export function viewKey({ id, audience, restricted, mode, name, scopes, origins, ipRanges, replaces, ...times }: ApiKeyRow) {
  return {
    id: `key_${id}`,
    object: 'api_key' as const,
    kind: audience === 'publishable' ? 'publishable' : restricted ? 'restricted' : 'secret',
    mode,
    name,
    scopes,
    origins,
    ipRanges,
    replaces: replaces === null ? null : `key_${replaces}`,
    createdAt: times.createdAt.toISOString(),
    expiresAt: times.expiresAt?.toISOString() ?? null,
    revokedAt: times.revokedAt?.toISOString() ?? null,
    lastUsedAt: times.lastUsedAt?.toISOString() ?? null,
  };
}

function noSuchKey(): DomainError {
  return new DomainError('not_found', 'There is no key in force with this id.');
}
