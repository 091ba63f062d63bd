import { Checkout, type WaitOptions } from './checkout.js';
import { ProblemError } from './errors.js';
import {
  type CaptureRequest,
  type Order,
  orderOf,
  type OrderRequest,
  type PayRequest,
  type Price,
  type Refund,
  type RefundRequest,
} from './order.js';
import { readOrder } from './order-changes.js';
import { pageStorage } from './page-storage.js';
import { type Deed, Deeds, type KeyStorage, memoryStorage } from './storage.js';
import { type Answered, Transport } from './transport.js';

export interface OncepayOptions {
  /** Where the API is, e.g. `https://pay.example`. */
  readonly baseUrl: string;
  /** In browsers a publishable key; a secret or restricted key belongs on servers alone. */
  readonly apiKey: string;
  /** Default: IndexedDB in browsers, memory elsewhere. A server that must survive its own crash gives one that does. */
  readonly storage?: KeyStorage;
  /** Each call gives up after this long without a usable answer. Default: two minutes. */
  readonly giveUpAfterMs?: number;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * The caller's own name of what is done: the same request under the same name happens once, over reloads and restarts as far as the
 * storage reaches. Another request under the name is another deed.
 */
export interface DeedOptions extends WaitOptions {
  readonly name: string;
}

const GIVE_UP_AFTER_MS = 120_000;
const CHECKOUT = 'checkout';
/** These leave open whether the deed has happened, or may yet: its key is kept. All other refusals say that it has not and will not. */
const KEEPS_KEY: readonly string[] = [
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'request_timeout',
  'idempotency_key_reused',
  'idempotency_key_expired',
  'idempotency_key_in_progress',
  'operation_in_progress',
];

/** Speaks to an Oncepay API so that whatever is lost on the way, everything happens once. */
export class Oncepay {
  readonly #transport: Transport;
  readonly #deeds: Deeds;

  constructor({ baseUrl, apiKey, storage = pageStorage() ?? memoryStorage(), giveUpAfterMs = GIVE_UP_AFTER_MS, fetch }: OncepayOptions) {
    const isBrowser = Reflect.get(globalThis, 'window') !== undefined;
    if (isBrowser && /^oncepay_[sr]k_/.test(apiKey)) throw new TypeError('A secret key must never reach a browser: use a publishable key.');
    this.#transport = new Transport({
      baseUrl: baseUrl.replace(/\/+$/, ''),
      apiKey,
      giveUpAfterMs,
      // Called as a method, a browser's fetch refuses.
      fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    });
    this.#deeds = new Deeds(storage);
  }

  /**
   * Places an order, once: its key is stored before it is sent, and sent again until there is an answer. Called again with the same
   * request (a double click, another tab, after a reload), it is the same order, until `forget()`. Rejects with ProblemError when it was
   * refused, NoAnswerError when the outcome is unknown: call it again, or `resume()`; with TypeError, before anything is sent, when an amount
   * or quantity is no whole number.
   */
  async checkout(request: OrderRequest, { name = CHECKOUT, signal }: Partial<DeedOptions> = {}): Promise<Checkout> {
    return this.#checkoutOf(name, await this.#deeds.begin(name, '/v1/orders', bodyOf(request)), signal);
  }

  /** The checkout that was begun under this name and not forgotten, with its order as it is now; null without one. Rejects as `checkout` does. */
  async resume({ name = CHECKOUT, signal }: Partial<DeedOptions> = {}): Promise<Checkout | null> {
    const deed = await this.#deeds.find(name);
    if (deed === null || deed.path !== '/v1/orders') return null;
    try {
      const checkout = await this.#checkoutOf(name, deed, signal);
      await checkout.refresh({ signal });
      return checkout;
    } catch (error) {
      const id = expiredOrderOf(error);
      if (id === null) throw error;
      return this.#checkoutLongAgo(id, name, deed, signal);
    }
  }

  /** The prices of the catalogue. */
  async prices({ signal }: WaitOptions = {}): Promise<readonly Price[]> {
    const { json } = await this.#transport.send({ path: '/v1/prices', signal });
    return (json as { data: Price[] }).data;
  }

  /** An order as it is now; a publishable key needs its client secret. */
  async order(id: string, { clientSecret = null, signal }: WaitOptions & { clientSecret?: string | null } = {}): Promise<Order> {
    const seen = await readOrder(this.#transport, { id, clientSecret, signal });
    if (seen === null) throw new Error('bug: nothing was known, and nothing has changed');
    return seen.order;
  }

  /** Pays an order in `requires_payment` by another payment method. Secret keys only, as the following. */
  async pay(orderId: string, request: PayRequest, options: DeedOptions): Promise<Order> {
    return orderOf((await this.#command(`/v1/orders/${orderId}/pay`, request, options)).json);
  }

  /** Captures authorised money: `amount` of it, or all. */
  async capture(orderId: string, request: CaptureRequest, options: DeedOptions): Promise<Order> {
    return orderOf((await this.#command(`/v1/orders/${orderId}/capture`, request, options)).json);
  }

  async cancel(orderId: string, options: DeedOptions): Promise<Order> {
    return orderOf((await this.#command(`/v1/orders/${orderId}/cancel`, {}, options)).json);
  }

  /** Returns `amount`, or all that is left. Two equal refunds of one order are two names. */
  async refund(orderId: string, request: RefundRequest, options: DeedOptions): Promise<Refund> {
    return (await this.#command(`/v1/orders/${orderId}/refunds`, request, options)).json as Refund;
  }

  async #command(path: string, request: object, { name, signal }: DeedOptions): Promise<Answered> {
    return this.#carryOut(name, await this.#deeds.begin(name, path, bodyOf(request)), signal);
  }

  async #checkoutOf(name: string, deed: Deed, signal: AbortSignal | undefined): Promise<Checkout> {
    const { json } = await this.#carryOut(name, deed, signal);
    return new Checkout(this.#transport, orderOf(json), name, () => this.#deeds.forget(name, deed.key));
  }

  /**
   * After a month the answer to a deed is no longer kept, but where its order is. A secret key reads it there; a page cannot, and its
   * buyer is long done.
   */
  async #checkoutLongAgo(id: string, name: string, deed: Deed, signal: AbortSignal | undefined): Promise<Checkout | null> {
    const forget = (): Promise<void> => this.#deeds.forget(name, deed.key);
    try {
      return new Checkout(this.#transport, await this.order(id, { signal }), name, forget);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'not_found') throw error;
      await forget();
      return null;
    }
  }

  /** Sends a stored deed until it is answered. After a refusal for good its name is free: trying again is a new deed. */
  async #carryOut(name: string, { key, path, body }: Deed, signal: AbortSignal | undefined): Promise<Answered> {
    try {
      return await this.#transport.send({ method: 'POST', path, body, headers: { 'Idempotency-Key': key }, signal });
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500 && !KEEPS_KEY.includes(error.code)) await this.#deeds.forget(name, key);
      throw error;
    }
  }
}

/**
 * The request as it is sent. Whatever is a number in one is whole; of NaN, JSON would make a `null`, which says nothing of what went wrong.
 * Throws TypeError.
 */
function bodyOf(request: object): string {
  return JSON.stringify(request, (name, value: unknown) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new TypeError(`${name} must be a whole number, and is ${value}.`);
    return value;
  });
}

function expiredOrderOf(error: unknown): string | null {
  if (!(error instanceof ProblemError) || error.code !== 'idempotency_key_expired') return null;
  return /^\/v1\/orders\/([^/]+)$/.exec(error.location ?? '')?.[1] ?? null;
}
