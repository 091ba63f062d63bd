import { type Chance } from './chance.js';
import { request } from './requests.js';
import { CANARIES } from './secrets.js';
import { type Tally } from './tally.js';

interface Weighted {
  readonly weight: number;
}

/** How Stripe spoils answers to writes of ours; the pattern of the key spares the buyers' browsers. */
const TO_WRITES: readonly (Weighted & Readonly<Record<string, unknown>>)[] = [
  { weight: 5, phase: 'before', action: 'reset' },
  { weight: 8, phase: 'after', action: 'reset' },
  { weight: 3, phase: 'before', action: 'hang', ms: 3_000 },
  { weight: 4, phase: 'after', action: 'hang', ms: 3_000 },
  { weight: 4, phase: 'after', action: 'delay', ms: 800 },
  { weight: 4, phase: 'body', action: 'truncate' },
  { weight: 3, phase: 'after', action: 'html', status: 502 },
  { weight: 3, phase: 'before', action: 'html', status: 502 },
  { weight: 3, phase: 'after', action: 'json' },
  { weight: 3, phase: 'after', action: 'garbage' },
  { weight: 4, phase: 'before', action: '500', stored: false },
  { weight: 4, phase: 'after', action: '500', stored: false },
  { weight: 3, phase: 'before', action: '503' },
  { weight: 4, phase: 'before', action: '409' },
  { weight: 4, phase: 'before', action: '429', retryAfterSeconds: 1 },
  { weight: 3, phase: 'before', action: 'lock_timeout' },
];

/**
 * A 500 that Stripe keeps under the key is cured by reading. Not of a refund that was not made: its absence counts only
 * after ten minutes, by contract, so that a storm could not see it heal.
 */
const KEPT: readonly (Weighted & Readonly<Record<string, unknown>>)[] = [
  ...[
    '/v1/payment_intents',
    '/v1/payment_intents/:id/confirm',
    '/v1/payment_intents/:id/capture',
    '/v1/payment_intents/:id/cancel',
  ].flatMap((path) => [
    { weight: 1, path, phase: 'before', action: '500', stored: true },
    { weight: 1, path, phase: 'after', action: '500', stored: true },
  ]),
  { weight: 1, path: '/v1/refunds', phase: 'after', action: '500', stored: true },
];

const TO_READS: readonly (Weighted & Readonly<Record<string, unknown>>)[] = [
  { weight: 2, path: '/v1/payment_intents/*', phase: 'before', action: 'reset' },
  { weight: 2, path: '/v1/payment_intents/*', phase: 'before', action: '503' },
  { weight: 1, path: '/v1/payment_intents/*', phase: 'body', action: 'truncate' },
  { weight: 1, path: '/v1/payment_intents', phase: 'before', action: '503' },
  { weight: 1, path: '/v1/checkout/sessions/*', phase: 'before', action: 'reset' },
  { weight: 1, path: '/v1/refunds', phase: 'before', action: '503' },
  { weight: 1, path: '/v1/events', phase: 'before', action: '503' },
];

const WEBHOOKS: readonly (Weighted & Readonly<Record<string, unknown>>)[] = [
  { weight: 5, action: 'duplicate', times: 2 },
  { weight: 2, action: 'twin' },
  { weight: 5, action: 'reorder', window: 5, ms: 1_500 },
  { weight: 5, action: 'delay', ms: 1_500 },
  { weight: 6, action: 'drop' },
  { weight: 2, action: 'forge' },
  { weight: 2, action: 'tamper' },
  { weight: 1, action: 'old_timestamp' },
  { weight: 1, action: 'thin' },
];

/** As many requests come within a moment while all is well. */
const STRUCK_FIRST_MAX = 12;

/** Sets the simulator's faults and counts those that struck. */
export class StripeFaults {
  /** What each webhook fault that is set has struck so far. */
  readonly #struck = new Map<string, number>();

  constructor(
    private readonly url: string,
    private readonly chance: Chance,
    private readonly tally: Tally,
  ) {}

  /**
   * Sets a few faults, each for some of the requests or deliveries that come next. Those of the time before that have not struck are
   * taken away, and what comes first is mostly spared: while a breaker is open only its rare probes come, and if each met a fault the rest
   * of the storm were one outage.
   */
  async set(): Promise<void> {
    const { chance } = this;
    await request(`${this.url}/_sim/faults`, { method: 'DELETE', timeoutMs: 2_000 }).catch(() => null);
    await this.#post('/_sim/faults', [
      { ...withoutWeight(chance.weighted(TO_WRITES)), key: 'op_*', nth: this.#few(3) },
      ...(chance.happens(0.4) ? [{ ...withoutWeight(chance.weighted(KEPT)), method: 'POST', key: 'op_*', nth: this.#few(1) }] : []),
      ...(chance.happens(0.4) ? [{ ...withoutWeight(chance.weighted(TO_READS)), method: 'GET', nth: this.#few(2) }] : []),
    ]);
    await this.#post('/_sim/webhooks', [{ ...withoutWeight(chance.weighted(WEBHOOKS)), count: chance.between(1, 6) }]);
    await this.count();
  }

  /** Which of the matching requests are struck: up to `most`, one after another. */
  #few(most: number): readonly number[] {
    const first = this.chance.between(1, STRUCK_FIRST_MAX);
    return Array.from({ length: this.chance.between(1, most) }, (_, index) => first + index);
  }

  /** Adds what struck since the last time. Faults die with the simulator, so this is called often. */
  async count(): Promise<void> {
    const answer = await request(`${this.url}/_sim/webhooks`, { timeoutMs: 2_000 }).catch(() => null);
    if (answer?.status !== 200) return;
    const { data }: { data: readonly { id: string; action: string; struck: number }[] } = JSON.parse(answer.text);
    for (const { id, action, struck } of data) {
      this.tally.add(`webhook: ${action}`, struck - (this.#struck.get(id) ?? 0));
      this.#struck.set(id, struck);
    }
    await this.#forgetSpent(data.length);
  }

  async clear(): Promise<void> {
    await this.count();
    for (const path of ['/_sim/faults', '/_sim/webhooks']) await request(`${this.url}${path}`, { method: 'DELETE' });
  }

  /** Rules that have struck as often as they may are only in the way; now and then all are taken away. */
  async #forgetSpent(set: number): Promise<void> {
    if (set < 200) return;
    for (const path of ['/_sim/faults', '/_sim/webhooks']) await request(`${this.url}${path}`, { method: 'DELETE' }).catch(() => null);
  }

  /** The simulator may be down: then nothing is set. */
  async #post(path: string, body: readonly object[]): Promise<void> {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer sk_test_${CANARIES.stripeAccount}` };
    const answer = await request(`${this.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), timeoutMs: 2_000 }).catch(
      () => null,
    );
    if (answer !== null && answer.status >= 400 && answer.status < 500)
      throw new Error(`bug: the simulator refuses a fault: ${answer.text}`);
  }
}

function withoutWeight(rule: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => name !== 'weight'));
}
