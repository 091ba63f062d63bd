import { timingSafeEqual } from 'node:crypto';
import { type Config } from '#libs/config';
import { type Database } from '#libs/database';
import { type Clock, DomainError } from '#libs/primitives';
import { isWithin } from '../limits/client-address.js';
import { AccessTokens } from './access-token.js';
import { hashApiKey, parseApiKey } from './api-key.js';
import { type ApiKeyRow, findApiKey } from './api-key.store.js';
import { type KeyUsage } from './key-usage.js';
import { type Caller, PUBLISHABLE_SCOPES, type Scope, SCOPES } from './caller.js';

/** What a request shows of its sender. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly ip: string;
}

interface Dependencies {
  readonly config: Pick<Config, 'development' | 'keyPepper' | 'stripe' | 'accessTokens'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly usage: KeyUsage;
}

/** An access token begins with the base64url of `{"`. */
const TOKEN = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** Finds out who sends a request. */
export class Authenticator {
  readonly #development: readonly { readonly hash: Buffer; readonly caller: Caller }[];
  readonly #tokens: AccessTokens | null;

  constructor(private readonly deps: Dependencies) {
    const { development, accessTokens, stripe } = deps.config;
    const { secretKeys, publishableKeys } = development;
    this.#development = [
      ...secretKeys.map((key, index) => this.#developmentKey(key, 'secret', index)),
      ...publishableKeys.map((key, index) => this.#developmentKey(key, 'publishable', index)),
    ];
    this.#tokens = accessTokens === null ? null : new AccessTokens(accessTokens, stripe.mode);
  }

  /**
   * The caller behind an Authorization header. Throws DomainError unauthenticated, which never says what was wrong with a key, and
   * forbidden when a good one comes from an address it is not for. A key's row is read for each request: once revoked, it opens nothing.
   */
  async authenticate({ authorization, ip }: Credentials): Promise<Caller> {
    const key = bearerOf(authorization);
    if (key === undefined) throw new DomainError('unauthenticated', 'Send an API key as "Authorization: Bearer <key>".');
    const hash = hashApiKey(key, this.deps.config.keyPepper);
    const caller =
      this.#development.find((known) => timingSafeEqual(known.hash, hash))?.caller ??
      (TOKEN.test(key) ? await this.#tokens?.callerOf(key) : await this.#stored(key, hash, ip));
    if (caller == null) throw new DomainError('unauthenticated', 'The API key is not known here, has expired or was revoked.');
    return caller;
  }

  async #stored(key: string, hash: Buffer, ip: string): Promise<Caller | null> {
    const { config, database, usage } = this.deps;
    const parsed = parseApiKey(key);
    if (parsed === null || parsed.mode !== config.stripe.mode) return null;
    const row = await findApiKey(database.autocommit, parsed.id);
    if (row === null || !timingSafeEqual(row.hash, hash) || !this.#isLive(row)) return null;
    usage.note(row.id);
    if (row.ipRanges.length > 0 && !isWithin(ip, row.ipRanges))
      throw new DomainError('forbidden', 'The key must not be used from this address.');
    const granted = SCOPES.filter((scope) => row.scopes.includes(scope));
    return {
      keyId: row.id,
      accountId: row.accountId,
      mode: parsed.mode,
      audience: parsed.audience,
      scopes: scopesOf(parsed.audience, granted),
      origins: row.origins,
    };
  }

  #isLive({ expiresAt, revokedAt }: ApiKeyRow): boolean {
    const now = this.deps.clock.now();
    return (expiresAt === null || expiresAt > now) && (revokedAt === null || revokedAt > now);
  }

  #developmentKey(key: string, audience: Caller['audience'], index: number): { hash: Buffer; caller: Caller } {
    // The n-th secret and the n-th publishable key belong to the n-th account.
    const accountId = `00000000-0000-7000-8000-${String(index + 1).padStart(12, '0')}`;
    const caller: Caller = {
      keyId: `dev-${audience}-${index + 1}`,
      accountId,
      mode: this.deps.config.stripe.mode,
      audience,
      scopes: scopesOf(audience, SCOPES),
      origins: null,
    };
    return { hash: hashApiKey(key, this.deps.config.keyPepper), caller };
  }
}

/** The key or token in an Authorization header, if there is one. Source: RFC 6750, 2.1. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function scopesOf(audience: Caller['audience'], granted: readonly Scope[]): readonly Scope[] {
  return audience === 'secret' ? granted : granted.filter((scope) => PUBLISHABLE_SCOPES.includes(scope));
}
