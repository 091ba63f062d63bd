import { type Stripe } from 'stripe';
import { assertNoOpenTransaction } from '#libs/database';
import { effect } from '#libs/primitives';
import { type CustomerObservation } from '../customer-observation.js';
import { type DisputeObservation } from '../dispute-observation.js';
import { type Endpoint } from '../gate/endpoint.js';
import { NO_GATE, type StripeGate } from '../gate/stripe-gate.js';
import { type PaymentIntentObservation } from '../observation.js';
import { type RefundObservation } from '../refund-observation.js';
import { type SessionObservation } from '../session-observation.js';
import { createStripeClient, type StripeConnection } from './stripe-client.js';
import { classify, noAnswer } from './stripe-failure.js';
import { readListedEvent, type SignedEvent } from './stripe-webhooks.js';
import { METADATA, readCheckoutSession, readCustomer, readDispute, readPaymentIntent, readRefund } from './stripe-objects.js';

/** The parameters of a Customer as an operation keeps them. */
export type CreateCustomerParams = Stripe.CustomerCreateParams;
/** The parameters of a PaymentIntent as an operation keeps them. */
export type CreateIntentParams = Stripe.PaymentIntentCreateParams;
/** The parameters of a confirmation as an operation keeps them. */
export type ConfirmIntentParams = Stripe.PaymentIntentConfirmParams;

/** The parameters of a capture as an operation keeps them. */
export type CaptureIntentParams = Stripe.PaymentIntentCaptureParams;
/** The parameters of a cancellation as an operation keeps them. */
export type CancelIntentParams = Stripe.PaymentIntentCancelParams;
/** The parameters of a refund as an operation keeps them. */
export type CreateRefundParams = Stripe.RefundCreateParams;
/** The parameters of a Checkout Session as an operation keeps them. */
export type CreateSessionParams = Stripe.Checkout.SessionCreateParams;

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** How many of its objects are not what they should be. */
  readonly unreadable: number;
  /** What the next page is asked for with; null on the last. */
  readonly next: string | null;
}

/** How many objects one page of a list holds: Stripe's maximum. */
const PAGE_SIZE = 100;

/**
 * The one place that speaks to Stripe. Every call passes the gate of all workers and gets our own idempotency key, one
 * deadline for the whole of it, and a check that the answer is the object it should be; every failure leaves as a
 * StripeFailure. Throws at once when a database transaction is open.
 */
export class StripeGateway {
  readonly #stripe: Stripe;
  readonly #timeoutMs: number;

  constructor(
    connection: StripeConnection,
    readonly gate: StripeGate = NO_GATE,
  ) {
    this.#stripe = createStripeClient(connection);
    this.#timeoutMs = connection.timeoutMs;
  }

  /** Makes a customer. Safe to repeat under the same key for 24 h; later it is looked for by `findCustomer`. */
  createCustomer(params: CreateCustomerParams, idempotencyKey: string): Promise<CustomerObservation> {
    return effect('worker.stripe.customer', async () => {
      assertNoOpenTransaction('calling Stripe');
      const observation = readCustomer(
        await this.#guard(() => this.#stripe.customers.create(params, { idempotencyKey }), 'customers.create'),
      );
      if (observation === null) throw noAnswer('Stripe answered with what is no Customer');
      return made(observation, params, 'Customer');
    });
  }

  /** The customer of this email who carries an operation's metadata; null when a complete list has none. */
  findCustomer(email: string, operationId: string): Promise<CustomerObservation | null> {
    return this.#findInList((page) => this.#stripe.customers.list({ email, ...page }), readCustomer, operationId);
  }

  /** Makes an intent, unconfirmed. Safe to repeat under the same key for 24 h; without it a harmless orphan remains. */
  createPaymentIntent(params: CreateIntentParams, idempotencyKey: string): Promise<PaymentIntentObservation> {
    return effect('worker.stripe.create', async () => {
      const create = (): Promise<unknown> => this.#stripe.paymentIntents.create(params, { idempotencyKey });
      return made(await this.#ask(create, null, 'payment_intents.create'), params, 'PaymentIntent');
    });
  }

  /** Confirms an intent. Safe to repeat: under the same key for 24 h, later because the intent's own state refuses it. */
  confirmPaymentIntent(id: string, params: ConfirmIntentParams, idempotencyKey: string): Promise<PaymentIntentObservation> {
    return effect('worker.stripe.confirm', () =>
      this.#ask(() => this.#stripe.paymentIntents.confirm(id, params, { idempotencyKey }), id, 'payment_intents.confirm'),
    );
  }

  /** Captures an authorised intent, in full or in part; what is left is released. Safe to repeat: its state refuses a second. */
  capturePaymentIntent(id: string, params: CaptureIntentParams, idempotencyKey: string): Promise<PaymentIntentObservation> {
    return effect('worker.stripe.capture', () =>
      this.#ask(() => this.#stripe.paymentIntents.capture(id, params, { idempotencyKey }), id, 'payment_intents.capture'),
    );
  }

  /** Cancels an intent, so that it can never succeed. Safe to repeat: its state refuses a second. */
  cancelPaymentIntent(id: string, params: CancelIntentParams, idempotencyKey: string): Promise<PaymentIntentObservation> {
    return effect('worker.stripe.cancel', () =>
      this.#ask(() => this.#stripe.paymentIntents.cancel(id, params, { idempotencyKey }), id, 'payment_intents.cancel'),
    );
  }

  /** Returns money. Safe to repeat under the same key for 24 h; afterwards nothing at Stripe stops a second partial refund. */
  createRefund(params: CreateRefundParams, idempotencyKey: string): Promise<RefundObservation> {
    return effect('worker.stripe.refund', async () => {
      const create = (): Promise<unknown> => this.#stripe.refunds.create(params, { idempotencyKey });
      const observation = made(await this.#askRefund(create, 'refunds.create'), params, 'Refund');
      if (observation.paymentIntentId !== params.payment_intent) throw noAnswer('Stripe answered with the Refund of another PaymentIntent');
      return observation;
    });
  }

  /** Opens a Checkout Session. Safe to repeat under the same key for 24 h; without it an orphan remains whose address nobody learns. */
  createCheckoutSession(params: CreateSessionParams, idempotencyKey: string): Promise<SessionObservation> {
    return effect('worker.stripe.create', async () => {
      const create = (): Promise<unknown> => this.#stripe.checkout.sessions.create(params, { idempotencyKey });
      return made(await this.#askSession(create, null, 'checkout_sessions.create'), params, 'Checkout Session');
    });
  }

  /** Closes a Checkout Session nobody has completed, and its intent with it. Safe to repeat: its state refuses a second. */
  expireCheckoutSession(id: string, idempotencyKey: string): Promise<SessionObservation> {
    return effect('worker.stripe.cancel', () =>
      this.#askSession(() => this.#stripe.checkout.sessions.expire(id, {}, { idempotencyKey }), id, 'checkout_sessions.expire'),
    );
  }

  /** Reads a Checkout Session as it is now, with its intent where it has made one. */
  retrieveCheckoutSession(id: string): Promise<SessionObservation> {
    return effect('worker.stripe.read', async () => {
      const observation = await this.#askSession(() => this.#stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] }), id);
      if (observation.paymentIntentId !== null && observation.intent === null)
        throw noAnswer('Stripe answered with a Checkout Session without the intent that was asked for');
      return observation;
    });
  }

  /** The Checkout Session that carries an operation's metadata; otherwise as `findPaymentIntent`. */
  findCheckoutSession(operationId: string, since: Date): Promise<SessionObservation | null> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#findInList((page) => this.#stripe.checkout.sessions.list({ created, ...page }), readCheckoutSession, operationId);
  }

  /** The refund of an intent that carries an operation's metadata; null when a complete list has none. */
  findRefund(paymentIntentId: string, operationId: string): Promise<RefundObservation | null> {
    return this.#findInList((page) => this.#stripe.refunds.list({ payment_intent: paymentIntentId, ...page }), readRefund, operationId);
  }

  /** Reads an intent as it is now. */
  retrievePaymentIntent(id: string): Promise<PaymentIntentObservation> {
    return effect('worker.stripe.read', () => this.#ask(() => this.#stripe.paymentIntents.retrieve(id), id));
  }

  /** Reads a dispute as it is now. */
  retrieveDispute(id: string): Promise<DisputeObservation> {
    return effect('worker.stripe.read', async () => {
      assertNoOpenTransaction('calling Stripe');
      const observation = readDispute(await this.#guard(() => this.#stripe.disputes.retrieve(id)));
      if (observation?.id !== id) throw noAnswer('Stripe answered with what is not the Dispute');
      return observation;
    });
  }

  /**
   * The intent that carries an operation's metadata, among those made from `since` on; null when there is none. Reads
   * Stripe's list, which is complete at once, never its search, which lags. The oldest wins should there be two.
   */
  findPaymentIntent(operationId: string, since: Date): Promise<PaymentIntentObservation | null> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#findInList((page) => this.#stripe.paymentIntents.list({ created, ...page }), readPaymentIntent, operationId);
  }

  /** A page of Stripe's events from `since` on, newest first: the events themselves, as webhooks bring them. Stripe keeps them for 30 days. */
  listEvents(since: Date, after: string | null): Promise<Page<SignedEvent>> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#readPage((page) => this.#stripe.events.list({ created, ...page }), readListedEvent, after);
  }

  /** A page of the intents made from `since` on, newest first; `after` is the `next` of the page before. */
  listPaymentIntents(since: Date, after: string | null): Promise<Page<PaymentIntentObservation>> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#readPage((page) => this.#stripe.paymentIntents.list({ created, ...page }), readPaymentIntent, after);
  }

  /** A page of the Checkout Sessions made from `since` on, newest first, each with its intent's id alone; `after` is the `next` of the page before. */
  listCheckoutSessions(since: Date, after: string | null): Promise<Page<SessionObservation>> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#readPage((page) => this.#stripe.checkout.sessions.list({ created, ...page }), readCheckoutSession, after);
  }

  /** A page of the refunds made from `since` on, newest first; `after` is the `next` of the page before. */
  listRefunds(since: Date, after: string | null): Promise<Page<RefundObservation>> {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return this.#readPage((page) => this.#stripe.refunds.list({ created, ...page }), readRefund, after);
  }

  /** Reads a refund as it is now. */
  retrieveRefund(id: string): Promise<RefundObservation> {
    return effect('worker.stripe.read', async () => {
      const observation = await this.#askRefund(() => this.#stripe.refunds.retrieve(id));
      if (observation.id !== id) throw noAnswer('Stripe answered with another Refund');
      return observation;
    });
  }

  /** The id of the account that our key belongs to. */
  async retrieveAccountId(): Promise<string> {
    assertNoOpenTransaction('calling Stripe');
    const { object, id } = await effect('worker.stripe.read', () => this.#guard(() => this.#stripe.accounts.retrieveCurrent()));
    if (object !== 'account' || typeof id !== 'string') throw noAnswer('Stripe answered with what is no Account');
    return id;
  }

  /** Reads a list to its end, newest first, and returns the oldest object of the operation. */
  async #findInList<T extends { readonly operationId: string | null }>(
    list: (page: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<{ id: string }>>,
    read: (value: unknown) => T | null,
    operationId: string,
  ): Promise<T | null> {
    let found: T | null = null;
    let after: string | null = null;
    for (;;) {
      const page: Page<T> = await this.#readPage(list, read, after);
      // It might be the one that is looked for, and a second refund is not to be taken back.
      if (page.unreadable > 0) throw noAnswer('Stripe listed an object that cannot be read');
      found = page.items.findLast((item) => item.operationId === operationId) ?? found;
      if (page.next === null) return found;
      after = page.next;
    }
  }

  async #readPage<T>(
    list: (page: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<{ id: string }>>,
    read: (value: unknown) => T | null,
    after: string | null,
  ): Promise<Page<T>> {
    assertNoOpenTransaction('calling Stripe');
    const page = await effect('worker.stripe.list', () =>
      this.#guard(() => list({ limit: PAGE_SIZE, ...(after === null ? {} : { starting_after: after }) })),
    );
    if (page.object !== 'list' || !Array.isArray(page.data)) throw noAnswer('Stripe answered a list with what is none');
    const items = page.data.map(read).filter((item) => item !== null);
    const unreadable = page.data.length - items.length;
    // That something is missing can only be concluded from a list that says itself where it ends.
    if (page.has_more === false) return { items, unreadable, next: null };
    const next = page.data.at(-1)?.id;
    if (next === undefined) throw noAnswer('Stripe cut a list short');
    return { items, unreadable, next };
  }

  async #askRefund(call: () => Promise<unknown>, endpoint?: Endpoint): Promise<RefundObservation> {
    assertNoOpenTransaction('calling Stripe');
    const observation = readRefund(await this.#guard(call, endpoint));
    if (observation === null) throw noAnswer('Stripe answered with what is no Refund');
    return observation;
  }

  async #askSession(call: () => Promise<unknown>, expectedId: string | null, endpoint?: Endpoint): Promise<SessionObservation> {
    assertNoOpenTransaction('calling Stripe');
    const observation = readCheckoutSession(await this.#guard(call, endpoint));
    if (observation === null) throw noAnswer('Stripe answered with what is no Checkout Session');
    if (expectedId !== null && observation.id !== expectedId) throw noAnswer('Stripe answered with another Checkout Session');
    return observation;
  }

  async #ask(call: () => Promise<unknown>, expectedId: string | null, endpoint?: Endpoint): Promise<PaymentIntentObservation> {
    assertNoOpenTransaction('calling Stripe');
    const observation = readPaymentIntent(await this.#guard(call, endpoint));
    if (observation === null) throw noAnswer('Stripe answered with what is no PaymentIntent');
    if (expectedId !== null && observation.id !== expectedId) throw noAnswer('Stripe answered with another PaymentIntent');
    return observation;
  }

  /** Passes the gate and holds a deadline: the SDK's own timeout restarts with every byte that arrives. */
  async #guard<T>(call: () => Promise<T>, endpoint: Endpoint = 'reads'): Promise<T> {
    const passage = await this.gate.enter(endpoint);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(noAnswer(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    let answer: T;
    try {
      answer = await Promise.race([call(), deadline]);
      refuseServerErrors(answer);
    } catch (error) {
      throw await passage.failed(classify(error));
    } finally {
      clearTimeout(timer);
    }
    await passage.answered();
    return answer;
  }
}

/** What was made, if it is what we asked to be made: somebody else's object under our key would be charged or counted for ours. */
function made<T extends { readonly operationId: string | null }>(
  seen: T,
  { metadata }: { readonly metadata?: Stripe.Emptyable<Stripe.MetadataParam> },
  what: string,
): T {
  const ours = metadata ? metadata[METADATA.operation] : undefined;
  if (ours !== undefined && seen.operationId !== ours) throw noAnswer(`Stripe answered with another ${what}`);
  return seen;
}

/** The SDK takes a proxy's 502 for an object when its JSON has no `error`. */
function refuseServerErrors(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null || !('lastResponse' in answer)) return;
  const { lastResponse } = answer;
  if (typeof lastResponse !== 'object' || lastResponse === null || !('statusCode' in lastResponse)) return;
  const { statusCode } = lastResponse;
  if (typeof statusCode === 'number' && statusCode >= 500) throw noAnswer(`somebody answered ${statusCode} in Stripe's place`);
}
