import { type Config, type Mode } from '#libs/config';
import { DomainError } from '#libs/primitives';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { type Caller, SCOPES } from './caller.js';

/** Signatures only, and of the public kind: a shared secret or `none` could be forged by whoever reads our configuration. Source: RFC 8725, 3.1. */
const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];
/** What every token of this kind has. Source: RFC 9068, 2.2. */
const REQUIRED_CLAIMS = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'];
/** How far the issuer's clock and ours may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;
const KEYS_TIMEOUT_MS = 3_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Takes the JWT access tokens of one issuer, as a resource server. Its keys come from the configured address and nowhere else, whatever
 * a token's header says. Sources: RFC 9068, RFC 8725.
 */
export class AccessTokens {
  readonly #keys: JWTVerifyGetKey;

  constructor(
    private readonly settings: NonNullable<Config['accessTokens']>,
    private readonly mode: Mode,
  ) {
    this.#keys = createRemoteJWKSet(new URL(settings.jwksUrl), { timeoutDuration: KEYS_TIMEOUT_MS });
  }

  /** The caller a token speaks for, or null. Throws DomainError unavailable when the issuer's keys cannot be read. */
  async callerOf(token: string): Promise<Caller | null> {
    const { issuer, audience } = this.settings;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        typ: 'at+jwt',
        requiredClaims: REQUIRED_CLAIMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return this.#callerIn(payload);
    } catch (error) {
      if (isRefusal(error)) return null;
      throw new DomainError('unavailable', "The token's issuer does not answer. Send the same request again.", {
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  }

  #callerIn(payload: JWTPayload): Caller | null {
    const accountId = payload[this.settings.accountClaim];
    const granted = typeof payload['scope'] === 'string' ? payload['scope'].split(' ') : [];
    if (typeof accountId !== 'string' || !UUID.test(accountId)) return null;
    return {
      keyId: `token:${payload.sub ?? ''}`,
      accountId,
      mode: this.mode,
      audience: 'secret',
      scopes: SCOPES.filter((scope) => granted.includes(scope)),
      origins: null,
    };
  }
}

/** Whether the token is at fault, rather than the way to the issuer's keys. */
function isRefusal(error: unknown): boolean {
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== 'ERR_JOSE_GENERIC';
}
