import { hasOutcome, isSettled, type Order } from './order.js';
import { orderChanges, readOrder } from './order-changes.js';
import { type Transport } from './transport.js';

/** Ends the waiting, not the payment. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A purchase under way: one order, whatever happens to page and network. */
export class Checkout {
  #order: Order;

  constructor(
    private readonly transport: Transport,
    order: Order,
    /** The purchase's own name. */
    readonly name: string,
    private readonly onForget: () => Promise<void>,
  ) {
    this.#order = order;
  }

  /** The order as it was last seen. */
  get order(): Order {
    return this.#order;
  }

  /** Reads the order. Rejects with ProblemError, NoAnswerError or the signal's reason. */
  async refresh(options: WaitOptions = {}): Promise<Order> {
    const seen = await readOrder(this.transport, { ...this.#address(), ...options });
    this.#order = seen?.order ?? this.#order;
    return this.#order;
  }

  /** Waits until nothing happens any more unless somebody acts: with `requires_payment` or `requires_action`, the buyer. */
  settled(options: WaitOptions = {}): Promise<Order> {
    return this.until(isSettled, options);
  }

  /** Waits until the buyer is done: paid or authorized, or the order is off. */
  outcome(options: WaitOptions = {}): Promise<Order> {
    return this.until(hasOutcome, options);
  }

  /** Waits until the order is as `condition` wants it. Rejects with ProblemError, NoAnswerError or the signal's reason. */
  async until(condition: (order: Order) => boolean, options: WaitOptions = {}): Promise<Order> {
    for await (const order of orderChanges(this.transport, { ...this.#address(), ...options })) {
      this.#order = order;
      if (condition(order)) break;
    }
    return this.#order;
  }

  /** Frees the name for the next purchase. Call it when the buyer has seen the outcome; until then the same request is this order. */
  forget(): Promise<void> {
    return this.onForget();
  }

  #address(): { id: string; clientSecret: string | null } {
    return { id: this.#order.id, clientSecret: this.#order.clientSecret };
  }
}
