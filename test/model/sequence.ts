import assert from 'node:assert/strict';
import { type Stripe } from 'stripe';
import { uuidOf } from '#libs/primitives';
import { type Answer } from '../support/http-client.js';
import { type Stack } from '../support/stack.js';
import { deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';
import { answersTo, isAccepting, isRefusedForEver, type ModelOrder, type OrderSeen, type Verb } from './model.js';

/** Longer than any chain of retries whose waiting is cut short. */
const CALM_TIMEOUT_MS = 90_000;
/** How often a request is sent again that a machine too busy could not take, or whose twin is still under way. */
const TRIES = 20;

/** An answer that must be given again, to the byte, whenever its command is repeated. */
export interface StoredAnswer {
  readonly path: string;
  readonly key: string;
  readonly body: object;
  readonly answer: Answer;
}

/** One sequence's share of the running system: its own orders, and what it was answered. */
export class Sequence {
  readonly orderIds: string[] = [];
  readonly stored: StoredAnswer[] = [];

  private constructor(
    readonly stack: Stack,
    /** On Stripe's clock, in whole seconds. */
    readonly startedAt: number,
  ) {}

  static async begin(stack: Stack, hearsStripe: boolean): Promise<Sequence> {
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    if (!hearsStripe) await stack.control('/_sim/webhooks', { action: 'drop' });
    await stack.startWorker();
    const { json } = await stack.control('/_sim/clock');
    return new Sequence(stack, Math.floor(Number(json['nowMs']) / 1_000));
  }

  async read(orderId: string): Promise<{ readonly order: OrderSeen; readonly text: string }> {
    const { text } = await this.ask(`/v1/orders/${orderId}`);
    return { order: JSON.parse(text), text };
  }

  /** Sends a request; again, unchanged, as a client does, while the answer says that it is to come again. */
  async ask(...request: Parameters<Stack['call']>): Promise<Answer> {
    for (let left = TRIES; ; left -= 1) {
      const answer = await this.stack.call(...request);
      if ((answer.status !== 503 && answer.json['code'] !== 'idempotency_key_in_progress') || left === 0) return answer;
    }
  }

  /** Creates an order; `twice`: two requests under one key at once, which must be answered alike. */
  async create(body: object, twice: boolean): Promise<OrderSeen> {
    const key = crypto.randomUUID();
    const ask = (): Promise<Answer> => this.ask('/v1/orders', { idempotencyKey: key, body });
    const [answer, twin] = await Promise.all([ask(), twice ? ask() : null]);
    assert.equal(answer.status, 201, answer.text);
    if (twin !== null) assert.equal(twin.text, answer.text);
    const order: OrderSeen = JSON.parse(answer.text);
    this.orderIds.push(order.id);
    this.stored.push({ path: '/v1/orders', key, body, answer });
    return order;
  }

  /**
   * Sends a command and asserts that the order, where it stood still meanwhile, was one that is to be answered so. What is refused
   * only for now is asked for once more under its key, and is not answered from what was stored.
   */
  async command(target: ModelOrder, verb: Verb, amount: number | null, extra: object = {}): Promise<void> {
    const request = {
      path: `/v1/orders/${target.id}/${verb}`,
      key: crypto.randomUUID(),
      body: { ...(amount === null ? {} : { amount }), ...extra },
    };
    if (await this.attempt(target, verb, amount, request)) await this.attempt(target, verb, amount, request);
  }

  /** Sends a command once; true when it was refused only for now. */
  private async attempt(target: ModelOrder, verb: Verb, amount: number | null, request: Omit<StoredAnswer, 'answer'>): Promise<boolean> {
    const { path, key, body } = request;
    const before = await this.read(target.id);
    const answer = await this.ask(path, { method: 'POST', idempotencyKey: key, body });
    const told = `${verb} ${JSON.stringify(body)} of ${before.text} was answered ${answer.status} ${answer.text}`;
    assert.ok(answer.status < 500, told);
    assert.equal(answer.headers.get('Idempotency-Replayed'), null, `stored though it may still be carried out: ${told}`);
    if (answer.status < 300) {
      assert.ok(!isRefusedForEver(verb, before.order), told);
      assertAccepted(verb, amount, answer, told);
      assert.ok(verb !== 'capture' || target.captured === null, `a second capture: ${told}`);
      this.stored.push({ ...request, answer });
      remember(target, verb, amount, answer);
      return false;
    }
    const after = await this.read(target.id);
    const expected = answersTo(verb, before.order, amount);
    if (after.text === before.text) assert.ok(expected.includes(String(answer.json['code'])), `${expected.join(' or ')} expected: ${told}`);
    if (isRefusedForEver(verb, before.order) && answer.json['code'] !== 'operation_in_progress') this.stored.push({ ...request, answer });
    return !isRefusedForEver(verb, after.order);
  }

  /** The orders' intents as Stripe has them, orphans included. */
  async intents(): Promise<readonly Stripe.PaymentIntent[]> {
    const all = await this.stack.stripe.paymentIntents
      .list({ limit: 100, created: { gte: this.startedAt } })
      .autoPagingToArray({ limit: 5_000 });
    return all.filter(({ metadata }) => this.orderIds.includes(metadata['oncepay_order'] ?? ''));
  }

  /** The hosted orders' Checkout Sessions as Stripe has them, orphans included. */
  async sessions(): Promise<readonly Stripe.Checkout.Session[]> {
    const all = await this.stack.stripe.checkout.sessions
      .list({ limit: 100, created: { gte: this.startedAt } })
      .autoPagingToArray({ limit: 5_000 });
    return all.filter(({ metadata }) => this.orderIds.includes(metadata?.['oncepay_order'] ?? ''));
  }

  /** What Stripe has to tell of the sequence's orders so far, oldest first. */
  async events(): Promise<readonly Stripe.Event[]> {
    const [all, intents, sessions] = await Promise.all([
      this.stack.stripe.events.list({ limit: 100, created: { gte: this.startedAt } }).autoPagingToArray({ limit: 5_000 }),
      this.intents(),
      this.sessions(),
    ]);
    const ids = [...intents, ...sessions].map(({ id }) => `"${id}"`);
    const isOurs = ({ data }: Stripe.Event): boolean => {
      const text = JSON.stringify(data.object);
      return ids.some((id) => text.includes(id));
    };
    return all.filter(isOurs).toReversed();
  }

  /** What Stripe's clock shows. */
  async nowAtStripe(): Promise<Date> {
    return new Date(Number((await this.stack.control('/_sim/clock')).json['nowMs']));
  }

  /** Delivers an event past the simulator's own delivery, and whatever its faults are. */
  async deliver(event: Stripe.Event): Promise<void> {
    for (let left = TRIES; ; left -= 1) {
      const { status } = await deliverTo(this.stack, event);
      if (status === 200) return;
      assert.ok(status === 503 && left > 0, `an event was answered ${status}`);
    }
  }

  /** Waits until nothing is left to do that a running worker can do: no open operation, no event to apply. */
  async calm(): Promise<void> {
    const ids = this.orderIds.map((id) => uuidOf('ord', id) ?? assert.fail());
    await waitFor(
      'every operation and event to end',
      async () => {
        const left = await this.hurry(ids);
        if (left.length === 0) return true;
        throw new Error(left.join('; '));
      },
      CALM_TIMEOUT_MS,
    );
  }

  /** Lets the time come at which what was put off is due, and says what is left. */
  private async hurry(ids: readonly string[]): Promise<readonly string[]> {
    const { query } = this.stack.database;
    const left = await query<{ what: string; put_off: boolean; absent: boolean }>(
      `SELECT kind || ' ' || status || coalesce(' ' || (last_error ->> 'message'), '') AS what, next_attempt_at > now() AS put_off, absent_since IS NOT NULL AS absent
         FROM payment_operations op WHERE order_id = ANY ($1::uuid[]) AND status IN ('queued', 'in_flight', 'unknown') AND NOT EXISTS (
           SELECT 1 FROM payment_operations parked WHERE parked.payment_id = op.payment_id AND parked.status = 'parked' AND parked.sequence < op.sequence
             AND parked.kind NOT IN ('refund', 'cancel_orphan') AND op.kind NOT IN ('refund', 'cancel_orphan'))
       UNION ALL SELECT type || ' ' || status || coalesce(' ' || note, ''), next_attempt_at > now(), false FROM webhook_events WHERE status IN ('received', 'held')
       UNION ALL SELECT 'outbox ' || kind, false, false FROM outbox`,
      [ids],
    );
    // A refund counts as not made only when it is missing for ten minutes.
    if (left.some(({ absent }) => absent)) await this.stack.control('/_sim/clock', { advanceSeconds: 601 });
    if (left.some(({ put_off: isPutOff }) => isPutOff)) await this.becomeDue(ids);
    return left.map(({ what }) => what);
  }

  private async becomeDue(ids: readonly string[]): Promise<void> {
    const { query } = this.stack.database;
    await query(`UPDATE breakers SET open_until = now(), probe_until = NULL WHERE state = 'open'`);
    await query(
      `WITH due AS (UPDATE payment_operations SET next_attempt_at = now() WHERE order_id = ANY ($1::uuid[]) AND finished_at IS NULL AND next_attempt_at > now() RETURNING id, kind),
         told AS (UPDATE webhook_events SET next_attempt_at = now() WHERE status IN ('received', 'held') AND next_attempt_at > now() RETURNING id)
       INSERT INTO outbox (id, kind, payload)
         SELECT gen_random_uuid(), CASE kind WHEN 'refund' THEN 'refund-operation' ELSE 'payment-operation' END, jsonb_build_object('operationId', id) FROM due
         UNION ALL SELECT gen_random_uuid(), 'webhook-event', jsonb_build_object('eventId', id) FROM told`,
      [ids],
    );
    await query(`SELECT pg_notify('oncepay_outbox', '')`);
  }
}

function assertAccepted(verb: Verb, amount: number | null, { json, text }: Answer, told: string): void {
  if (verb === 'refunds') {
    assert.equal(json['status'], 'pending', told);
    assert.ok(amount === null ? Number(json['amount']) > 0 : json['amount'] === amount, `another amount: ${told}`);
  } else assert.ok(isAccepting(verb, JSON.parse(text)), `not to be accepted: ${told}`);
}

function remember(target: ModelOrder, verb: Verb, amount: number | null, { json }: Answer): void {
  if (verb === 'capture') target.captured = amount ?? target.amount;
  if (verb === 'cancel') target.isCancelAccepted = true;
  if (verb === 'refunds') target.refunds.push({ id: String(json['id']), amount: Number(json['amount']) });
}
