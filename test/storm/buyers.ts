import { setTimeout as sleep } from 'node:timers/promises';
import { type Chance } from './chance.js';
import { type Client } from './client.js';
import { type Command, type History, type KnownOrder, type Verb } from './history.js';
import { ELSEWHERE } from './oracle/evidence.js';
import { request } from './requests.js';
import { type AccountNumber, CANARIES } from './secrets.js';

/** What a buyer reads of an order. */
export interface OrderSeen {
  readonly id: string;
  readonly status: string;
  readonly amountCaptured: number;
  readonly dispute: { readonly status: string } | null;
  readonly payment: {
    readonly stripePaymentIntentId: string | null;
    readonly clientSecret: string | null;
    readonly url: string | null;
    readonly pendingOperation: string | null;
  };
}

/** A buyer who waits longer than this goes home; the order stays as it is. */
const WAITS_FOR_MS = 20_000;
/** Patient, as buyers are: their looks should not be most of what the machine does. */
const LOOKS_EVERY_MS = 600;
const LOOKS_EVERY_MS_MAX = 4_000;
const PRICE = { id: 'tshirt', unitAmount: 2_000, currency: 'usd' } as const;

/** With two decimals, with none, and with three of which Stripe takes two: amounts go in steps. */
const CURRENCIES = [
  { weight: 6, code: 'usd', step: 1 },
  { weight: 2, code: 'eur', step: 1 },
  { weight: 2, code: 'jpy', step: 1 },
  { weight: 1, code: 'kwd', step: 10 },
] as const;

/** How a currency's amounts go. */
type Currency = Pick<(typeof CURRENCIES)[number], 'code' | 'step'>;

const AS_BROWSER = `Bearer pk_test_${CANARIES.stripeAccount}`;
const AS_MERCHANT = `Bearer sk_test_${CANARIES.stripeAccount}`;

interface NewOrder {
  readonly account: AccountNumber;
  readonly key: string;
  readonly audience?: 'secret' | 'publishable';
  readonly quantity?: number;
  readonly unitAmount?: number;
  readonly currency?: Currency;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What buyers and the merchants' programs do with orders, each step recorded. */
export class Buyers {
  #keys = 0;

  constructor(
    readonly client: Client,
    readonly chance: Chance,
    readonly history: History,
    private readonly simulatorUrl: string,
    private readonly isOver: () => boolean,
  ) {}

  /** A key as a client makes it: unique, and recognisable wherever it is written. */
  newKey(): string {
    this.#keys += 1;
    return `${CANARIES.idempotencyKey}-${this.#keys}-${crypto.randomUUID()}`;
  }

  newAccount(): AccountNumber {
    return this.chance.happens(0.5) ? 0 : 1;
  }

  /** Creates an order and remembers what it must cost. */
  async create(order: NewOrder): Promise<{ order: KnownOrder; command: Command } | null> {
    const command = this.newOrder(order);
    return this.placed(command, await this.client.repeat(command));
  }

  newOrder({ account, key, audience = 'secret', quantity = 1, unitAmount, currency, extra }: NewOrder): Command {
    const { code, step } = currency ?? this.chance.weighted(CURRENCIES);
    const isPriced = audience === 'publishable';
    const each = isPriced ? PRICE.unitAmount : (unitAmount ?? step * this.chance.between(Math.ceil(100 / step), Math.floor(9_000 / step)));
    const item = isPriced ? { price: PRICE.id, quantity } : { name: 'T-shirt', unitAmount: each, quantity };
    const orderCurrency = isPriced ? PRICE.currency : code;
    const body = JSON.stringify({ currency: orderCurrency, items: [item], ...extra });
    const amount = quantity * each;
    return this.history.begin({ account, audience, key, verb: 'create', path: '/v1/orders', body, amount, currency: orderCurrency });
  }

  /** An amount of an order that its currency can be charged, captured and returned in: at most this share, and often less. */
  part({ amount, currency }: KnownOrder, share: number, isWhole = true): number {
    const step = CURRENCIES.find(({ code }) => code === currency)?.step ?? 1;
    const steps = Math.max(1, Math.floor((amount * share) / step));
    return step * (isWhole ? steps : this.chance.between(1, steps));
  }

  placed(command: Command, answer: Record<string, unknown> | null): { order: KnownOrder; command: Command } | null {
    if (answer === null) return null;
    const { account } = command;
    const id = String(answer['id']);
    const order: KnownOrder = {
      id,
      account,
      amount: command.amount ?? 0,
      currency: command.currency ?? '',
      statuses: [String(answer['status'])],
    };
    this.history.orders.set(id, order);
    return { order, command };
  }

  /** Sends a command on an order. */
  act(order: KnownOrder, verb: Exclude<Verb, 'create'>, body: object = {}): Promise<Record<string, unknown> | null> {
    return this.client.repeat(this.newCommand(order, verb, body));
  }

  newCommand({ id, account }: KnownOrder, verb: Exclude<Verb, 'create'>, body: object): Command {
    const amount = 'amount' in body && typeof body.amount === 'number' ? body.amount : null;
    const path = `/v1/orders/${id}/${verb === 'refund' ? 'refunds' : verb}`;
    const command = {
      account,
      audience: 'secret',
      key: this.newKey(),
      verb,
      path,
      body: JSON.stringify(body),
      amount,
      currency: null,
    } as const;
    return this.history.begin(command);
  }

  async look(order: KnownOrder): Promise<OrderSeen | null> {
    const answer = await this.client.read(`/v1/orders/${order.id}`, order.account);
    if (answer === null || answer.status !== 200) return null;
    const seen: OrderSeen = JSON.parse(answer.text);
    if (order.statuses.at(-1) !== seen.status) order.statuses.push(seen.status);
    return seen;
  }

  /** Looks at an order until it is as wished, or until the buyer goes home. */
  async until(order: KnownOrder, isSo: (seen: OrderSeen) => boolean): Promise<OrderSeen | null> {
    const deadline = Date.now() + WAITS_FOR_MS;
    for (let waitMs = LOOKS_EVERY_MS; Date.now() < deadline && !this.isOver(); waitMs = Math.min(LOOKS_EVERY_MS_MAX, waitMs * 1.7)) {
      await sleep(waitMs * (0.7 + this.chance.next() * 0.6));
      const seen = await this.look(order);
      if (seen !== null && isSo(seen)) return seen;
    }
    return null;
  }

  becomes(order: KnownOrder, ...statuses: readonly string[]): Promise<OrderSeen | null> {
    return this.until(order, ({ status, payment }) => statuses.includes(status) && payment.pendingOperation === null);
  }

  /** Confirms the intent in the buyer's browser, by its client secret, past us. */
  async confirmInBrowser({ payment }: OrderSeen, paymentMethod: string): Promise<void> {
    const form = new URLSearchParams({ client_secret: payment.clientSecret ?? '', payment_method: paymentMethod });
    await this.#atStripe(`/v1/payment_intents/${payment.stripePaymentIntentId}/confirm`, form.toString());
  }

  /** Answers the bank's question, on the bank's page. */
  async authenticate({ payment }: OrderSeen): Promise<void> {
    await this.#atStripe(`/_sim/payment_intents/${payment.stripePaymentIntentId}/next_action`, '{"outcome":"succeeded"}');
  }

  /** Pays on the page of a Checkout Session. */
  async payOnPage({ payment }: OrderSeen): Promise<void> {
    const session = /cs_\w+/.exec(payment.url ?? '')?.[0];
    if (session !== undefined) await this.#atStripe(`/_sim/checkout/sessions/${session}/pay`, '{"paymentMethod":"pm_card_visa"}');
  }

  /** Gives a part back in Stripe's dashboard, past us. */
  async refundElsewhere({ payment }: OrderSeen, amount: number): Promise<void> {
    const form = new URLSearchParams({
      payment_intent: payment.stripePaymentIntentId ?? '',
      amount: String(amount),
      [`metadata[${ELSEWHERE}]`]: 'yes',
    });
    await this.#atStripe('/v1/refunds', form.toString(), {
      Authorization: AS_MERCHANT,
      'Idempotency-Key': `${ELSEWHERE}-${crypto.randomUUID()}`,
    });
  }

  /** Lets the bank decide about the dispute of an order. */
  async closeDispute({ payment }: OrderSeen, outcome: 'succeeded' | 'failed'): Promise<void> {
    const path = `/v1/disputes?payment_intent=${payment.stripePaymentIntentId}`;
    const answer = await request(`${this.simulatorUrl}${path}`, { headers: { Authorization: AS_MERCHANT } }).catch(() => null);
    const dispute = /du_\w+/.exec(answer?.text ?? '')?.[0];
    if (dispute !== undefined) await this.#atStripe(`/_sim/disputes/${dispute}/close`, JSON.stringify({ outcome }));
  }

  /** What a publishable key may order. */
  async fillCatalogue(): Promise<void> {
    for (const account of [0, 1] as const) await this.client.putPrice(PRICE.id, PRICE.unitAmount, account);
  }

  /** A page that does not load is loaded again; whether the last try came through nobody knows. */
  async #atStripe(path: string, body: string, headers: Readonly<Record<string, string>> = { Authorization: AS_BROWSER }): Promise<void> {
    const type = body.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded';
    for (let tries = 0; tries < 5; tries += 1) {
      const answer = await request(`${this.simulatorUrl}${path}`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': type },
        body,
      }).catch(() => null);
      if (answer !== null && answer.status < 500) return;
      await sleep(500);
    }
  }
}
