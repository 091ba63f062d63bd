import { type Config } from '#libs/config';
import { DomainError, type ErrorCode } from '#libs/primitives';
import { type FastifyReply } from 'fastify';
import { type Caller } from '../callers/caller.js';
import { clientOf } from './client-address.js';
import { type Quota, type RateLimiter, type Standing } from './rate-limiter.js';

const WINDOW_SECONDS = 60;

/** A key that is not for this address counts against the address: whoever has stolen it must not use up what its owner may send. */
const FAILURES: readonly ErrorCode[] = ['unauthenticated', 'forbidden'];

/**
 * How many requests are taken. A secret key or token is counted as itself; publishable keys lie in every browser and are counted by
 * address; so is whoever fails to show a valid key, before the next one is looked at, and whoever names origins of no key.
 */
export class RequestLimits {
  readonly #perKey: Quota;
  readonly #perIp: Quota;
  readonly #failures: Quota;
  readonly #origins: Quota;

  constructor(
    private readonly limiter: RateLimiter,
    { perKey, perIp, authFailures }: Config['rateLimits'],
  ) {
    this.#perKey = { name: 'key', perMinute: perKey };
    this.#perIp = { name: 'ip', perMinute: perIp };
    this.#failures = { name: 'auth', perMinute: authFailures };
    this.#origins = { name: 'origin', perMinute: authFailures };
  }

  /** Runs `authenticate` unless too many failed from this address, and counts it if it fails. Throws DomainError rate_limited. */
  async authenticated(ip: string, reply: FastifyReply, authenticate: () => Promise<Caller>): Promise<Caller> {
    const client = clientOf(ip);
    const standing = this.limiter.look(client, this.#failures);
    if (standing.isExceeded) refuse(standing, reply);
    try {
      return await authenticate();
    } catch (error) {
      if (error instanceof DomainError && FAILURES.includes(error.code)) this.limiter.count(client, this.#failures);
      throw error;
    }
  }

  /** Looks an origin up. Past too many of no key from one address, the next is taken for one of them without a look. */
  async isKnownOrigin(ip: string, lookUp: () => Promise<boolean>): Promise<boolean> {
    const client = clientOf(ip);
    if (this.limiter.look(client, this.#origins).isExceeded) return false;
    const isKnown = await lookUp();
    if (!isKnown) this.limiter.count(client, this.#origins);
    return isKnown;
  }

  /** Counts a request of a caller and tells them where they stand. Throws DomainError rate_limited. */
  count({ audience, keyId }: Caller, ip: string, reply: FastifyReply): void {
    const standing = audience === 'publishable' ? this.limiter.count(clientOf(ip), this.#perIp) : this.limiter.count(keyId, this.#perKey);
    if (standing.quota.perMinute === 0) return;
    if (standing.isExceeded) refuse(standing, reply);
    tell(standing, reply);
  }
}

function refuse(standing: Standing, reply: FastifyReply): never {
  tell(standing, reply);
  throw new DomainError('rate_limited', 'Too many requests; nothing was done. Send this one again later.', {
    retryAfterSeconds: standing.resetSeconds,
  });
}

/** Source: draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4. */
function tell({ quota, remaining, resetSeconds }: Standing, reply: FastifyReply): void {
  void reply
    .header('RateLimit-Policy', `"${quota.name}";q=${quota.perMinute};w=${WINDOW_SECONDS}`)
    .header('RateLimit', `"${quota.name}";r=${remaining};t=${resetSeconds}`);
}
