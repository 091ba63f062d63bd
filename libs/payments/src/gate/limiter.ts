import { type Tx } from '#libs/database';
import { type Endpoint, ENDPOINTS } from './endpoint.js';
import { type Bucket, GLOBAL, openBuckets, type Reservation, reserveTokens, shrinkBucket, type Wanted } from './rate-limits.store.js';

/** Reserved at once, so that a busy worker asks the database ten times a second and not before every call. */
const RESERVE_AHEAD_MS = 100;
/** A token that nobody used is lost after this: what a pause has saved up must not go to Stripe in one burst. */
const TOKEN_LIFE_MS = 1_000;
/** Stripe allows 25 calls a second at one endpoint, a quarter of what it allows a live account altogether. Source: docs.stripe.com/rate-limits. */
const ENDPOINT_PER_SECOND = 25;
const ENDPOINT_PART = 4;
/** A storm of events, each of which has to be read about, leaves the other half to the calls that move money. */
const READS_SHARE = 0.5;

/** What Stripe says in Stripe-Rate-Limited-Reason of the limit that was met; others are not limits of rate. */
const MET_GLOBAL = /^global-(rate|concurrency)$/;
const MET_ENDPOINT = /^endpoint-(rate|concurrency)$/;

/** A token, good from that instant on; or when to ask again. */
type Dealt = { readonly goodAt: number } | { readonly goodAt: null; readonly askAgainInMs: number };

interface Waiter {
  readonly deal: (dealt: Dealt) => void;
  readonly fail: (error: unknown) => void;
}

/** The tokens of this process for one endpoint, each by the instant from which it is good (performance.now()), and who waits for one. */
interface Hand {
  readonly tokens: number[];
  readonly waiting: Waiter[];
  isAsking: boolean;
}

/** How long until a call may leave; or, when that is too long to wait in a worker's slot, when to ask again. */
export type Turn = { readonly granted: true } | { readonly granted: false; readonly askAgainInMs: number };

/** Token buckets shared by all workers through the database, one for each endpoint and one for all together. */
export class Limiter {
  readonly #hands = new Map<Endpoint, Hand>();
  #opened: Promise<void> | null = null;

  constructor(
    private readonly tx: Tx,
    private readonly perSecond: number,
  ) {}

  /** Sees to it that this process has a token for the endpoint, without using it. */
  async ready(endpoint: Endpoint): Promise<Turn> {
    const hand = this.#handFor(endpoint);
    if (usable(hand.tokens) > 0) return { granted: true };
    const turn = await this.#ask(endpoint, hand);
    if (turn.goodAt === null) return { granted: false, askAgainInMs: turn.askAgainInMs };
    hand.tokens.unshift(turn.goodAt);
    return { granted: true };
  }

  /** Uses a token, waiting for the instant it is good. */
  async take(endpoint: Endpoint): Promise<Turn> {
    const hand = this.#handFor(endpoint);
    usable(hand.tokens);
    const inHand = hand.tokens.shift();
    const dealt: Dealt = inHand === undefined ? await this.#ask(endpoint, hand) : { goodAt: inHand };
    if (dealt.goodAt === null) return { granted: false, askAgainInMs: dealt.askAgainInMs };
    const waitMs = dealt.goodAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    return { granted: true };
  }

  /** Slows down where Stripe met a limit; `reason` is its Stripe-Rate-Limited-Reason. */
  async shrink(endpoint: Endpoint, reason: string | null, retryAfterMs: number): Promise<void> {
    const name = reason !== null && MET_GLOBAL.test(reason) ? GLOBAL : reason !== null && MET_ENDPOINT.test(reason) ? endpoint : null;
    if (name === null) return;
    for (const [of, hand] of this.#hands) if (name === GLOBAL || of === name) hand.tokens.length = 0;
    await shrinkBucket(this.tx, name, retryAfterMs);
  }

  #handFor(endpoint: Endpoint): Hand {
    const hand = this.#hands.get(endpoint) ?? { tokens: [], waiting: [], isAsking: false };
    this.#hands.set(endpoint, hand);
    return hand;
  }

  #ask(endpoint: Endpoint, hand: Hand): Promise<Dealt> {
    return new Promise((resolve, reject) => {
      hand.waiting.push({ deal: resolve, fail: reject });
      if (!hand.isAsking) void this.#reserve(endpoint, hand);
    });
  }

  /** Asks for all who wait in one statement, again while more came in the meantime. Nobody is left waiting when it fails. */
  async #reserve(endpoint: Endpoint, hand: Hand): Promise<void> {
    hand.isAsking = true;
    const buckets = this.#buckets(endpoint);
    const ahead = Math.ceil((Math.min(...buckets.map(({ perSecond }) => perSecond)) * RESERVE_AHEAD_MS) / 1_000);
    while (hand.waiting.length > 0) {
      const waiting = hand.waiting.splice(0);
      const tokens = Math.max(waiting.length, ahead);
      try {
        deal(hand, waiting, await this.#tokens(buckets, { tokens, places: waiting.length }), tokens);
      } catch (error) {
        for (const { fail } of waiting) fail(error);
      }
    }
    hand.isAsking = false;
  }

  async #tokens(buckets: readonly Bucket[], wanted: Wanted): Promise<Reservation> {
    this.#opened ??= openBuckets(this.tx, [GLOBAL, ...ENDPOINTS]);
    try {
      await this.#opened;
    } catch (error) {
      this.#opened = null;
      throw error;
    }
    return reserveTokens(this.tx, buckets, wanted);
  }

  #buckets(endpoint: Endpoint): readonly Bucket[] {
    const most = endpoint === 'reads' ? this.perSecond * READS_SHARE : this.perSecond;
    const perSecond = Math.min(most, Math.max(ENDPOINT_PER_SECOND, this.perSecond / ENDPOINT_PART));
    return [
      { name: GLOBAL, perSecond: this.perSecond },
      { name: endpoint, perSecond },
    ];
  }
}

/** Forgets tokens that are too old, and says how many are left. */
function usable(tokens: number[]): number {
  const oldest = performance.now() - TOKEN_LIFE_MS;
  while (tokens[0] !== undefined && tokens[0] < oldest) tokens.shift();
  return tokens.length;
}

/** Gives each who waited a token or a place in the line; what is left stays in the hand. */
function deal(hand: Hand, waiting: readonly Waiter[], { granted, startsInMs, everyMs }: Reservation, tokens: number): void {
  const now = performance.now();
  for (const [index, waiter] of waiting.entries()) {
    const inMs = startsInMs + index * everyMs;
    waiter.deal(granted ? { goodAt: now + inMs } : { goodAt: null, askAgainInMs: inMs });
  }
  if (!granted) return;
  for (let index = waiting.length; index < tokens; index += 1) hand.tokens.push(now + startsInMs + index * everyMs);
}
