import { type Database } from '#libs/database';
import { type Clock } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { isOriginOfAKey } from '../callers/api-key.store.js';
import { type RequestLimits } from '../limits/request-limits.js';

const METHODS = 'GET, POST';
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, Oncepay-Client-Secret, Prefer, If-Match, If-None-Match, Last-Event-ID, Cache-Control';
const RESPONSE_HEADERS =
  'Location, ETag, X-Request-Id, Idempotency-Replayed, Retry-After, RateLimit, RateLimit-Policy, Preference-Applied, Link';
/** Chromium keeps a preflight for two hours at most; after this long a new policy is in force. */
const PREFLIGHT_SECONDS = '600';
/** A page whose origin was just added to a key waits this long at most. */
const REMEMBER_MS = 5_000;
/** Anybody can name origins: only so many are remembered, and each address may name only so many that no key has. */
const REMEMBERED_MAX = 1_000;

/**
 * Lets the pages of publishable keys call the API. A preflight carries no key, so it is answered for the origins of all keys; whether
 * this key may be used on this page is decided when the request itself comes.
 */
export class CrossOrigin {
  readonly #known = new Map<string, { readonly isKnown: boolean; readonly untilMs: number }>();

  /** `allowsAll`: outside production, a development key may be used on every page. */
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly limits: RequestLimits,
    private readonly allowsAll: boolean,
  ) {}

  /** Allows the request's origin to read the answer, if pages of that origin may call the API at all. */
  async greet(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    addVary(reply, 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !(await this.#mayCall(origin, request.ip))) return;
    void reply.header('Access-Control-Allow-Origin', origin).header('Access-Control-Expose-Headers', RESPONSE_HEADERS);
  }

  /** Answers a preflight that `greet` has seen. Source: WHATWG Fetch, 3.2.2. */
  answerPreflight(reply: FastifyReply): void {
    addVary(reply, 'Access-Control-Request-Method', 'Access-Control-Request-Headers');
    if (reply.hasHeader('Access-Control-Allow-Origin')) {
      void reply
        .header('Access-Control-Allow-Methods', METHODS)
        .header('Access-Control-Allow-Headers', REQUEST_HEADERS)
        .header('Access-Control-Max-Age', PREFLIGHT_SECONDS);
    }
    void reply.status(204).send();
  }

  /** Takes the permission back, for a key that is not for pages of this origin. */
  withdraw(reply: FastifyReply): void {
    void reply.removeHeader('Access-Control-Allow-Origin').removeHeader('Access-Control-Expose-Headers');
  }

  async #mayCall(origin: string, ip: string): Promise<boolean> {
    if (this.allowsAll) return true;
    const known = this.#known.get(origin);
    if (known !== undefined && known.untilMs > performance.now()) return known.isKnown;
    return this.limits.isKnownOrigin(ip, () => this.#lookUp(origin));
  }

  async #lookUp(origin: string): Promise<boolean> {
    const isKnown = await isOriginOfAKey(this.database.autocommit, origin, this.clock.now());
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.set(origin, { isKnown, untilMs: performance.now() + REMEMBER_MS });
    return isKnown;
  }
}

/** Whether a request asks what its page may do, before the page does it. */
export function isPreflight(request: FastifyRequest): boolean {
  return request.method === 'OPTIONS' && request.headers.origin !== undefined && 'access-control-request-method' in request.headers;
}

/** Adds to what caches must tell apart. */
export function addVary(reply: FastifyReply, ...names: readonly string[]): void {
  const present = reply.getHeader('Vary');
  void reply.header('Vary', [...(present === undefined ? [] : [String(present)]), ...names].join(', '));
}
