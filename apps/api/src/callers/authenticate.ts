import { timingSafeEqual } from 'node:crypto';
import { type Config } from '#libs/config';
import { type Database } from '#libs/database';
import { type Clock, DomainError } from '#libs/primitives';
import { hashApiKey, parseApiKey } from './api-key.js';
import { type ApiKeyRow, findApiKey } from './api-key.store.js';
import { type Caller, PUBLISHABLE_SCOPES, type Scope, SCOPES } from './caller.js';

/** Finds out who sends a request. */
export class Authenticator {
  readonly #development: readonly { readonly hash: Buffer; readonly caller: Caller }[];

  constructor(
    private readonly config: Pick<Config, 'development' | 'keyPepper' | 'stripe'>,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    const { secretKeys, publishableKeys } = config.development;
    this.#development = [
      ...secretKeys.map((key, index) => this.#developmentKey(key, 'secret', index)),
      ...publishableKeys.map((key, index) => this.#developmentKey(key, 'publishable', index)),
    ];
  }

  /** The caller behind an Authorization header. Throws DomainError unauthenticated, which never says what was wrong with a key. */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (key === undefined) throw new DomainError('unauthenticated', 'Send an API key as "Authorization: Bearer <key>".');
    const hash = hashApiKey(key, this.config.keyPepper);
    const caller = this.#development.find((known) => timingSafeEqual(known.hash, hash))?.caller ?? (await this.#stored(key, hash));
    if (caller === null) throw new DomainError('unauthenticated', 'The API key is not known here, has expired or was revoked.');
    return caller;
  }

  async #stored(key: string, hash: Buffer): Promise<Caller | null> {
    const parsed = parseApiKey(key);
    if (parsed === null || parsed.mode !== this.config.stripe.mode) return null;
    const row = await findApiKey(this.database.autocommit, parsed.id);
    if (row === null || !timingSafeEqual(row.hash, hash) || !this.#isLive(row)) return null;
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
    const now = this.clock.now();
    return (expiresAt === null || expiresAt > now) && (revokedAt === null || revokedAt > now);
  }

  #developmentKey(key: string, audience: Caller['audience'], index: number): { hash: Buffer; caller: Caller } {
    // The n-th secret and the n-th publishable key belong to the n-th account.
    const accountId = `00000000-0000-7000-8000-${String(index + 1).padStart(12, '0')}`;
    const caller: Caller = {
      keyId: `dev-${audience}-${index + 1}`,
      accountId,
      mode: this.config.stripe.mode,
      audience,
      scopes: scopesOf(audience, SCOPES),
      origins: null,
    };
    return { hash: hashApiKey(key, this.config.keyPepper), caller };
  }
}

function scopesOf(audience: Caller['audience'], granted: readonly Scope[]): readonly Scope[] {
  return audience === 'secret' ? granted : granted.filter((scope) => PUBLISHABLE_SCOPES.includes(scope));
}
