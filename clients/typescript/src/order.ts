import { type components } from './generated/api.js';

type Schemas = components['schemas'];

/** An order as the API answers it. */
export type Order = Schemas['OrderResponse'];
/** What an order is made of. */
export type OrderRequest = Schemas['CreateOrderRequest'];
/** A price of the catalogue. */
export type Price = Schemas['PriceResponse'];
export type Refund = Schemas['RefundResponse'];
export type RefundRequest = Schemas['CreateRefundRequest'];
export type CaptureRequest = Schemas['CaptureRequest'];
export type PayRequest = Schemas['PayRequest'];
/** Where an order stands. */
export type OrderStatus = Order['status'];

/** Whether it is the buyer's turn, or nobody's: nothing more happens unless somebody acts. */
export function isSettled({ status, payment }: Order): boolean {
  return status !== 'pending' && status !== 'processing' && payment.pendingOperation === null;
}

const OUTCOMES: readonly OrderStatus[] = ['paid', 'authorized', 'partially_refunded', 'refunded', 'canceled', 'expired', 'failed'];

/** Whether the buyer is done: the money is taken or reserved, or the order is off. */
export function hasOutcome(order: Order): boolean {
  return OUTCOMES.includes(order.status) && isSettled(order);
}

/** The order in an answer. Throws what no server of ours can cause. */
export function orderOf(json: unknown): Order {
  if (typeof json === 'object' && json !== null && Reflect.get(json, 'object') === 'order') return json as Order;
  throw new TypeError('The answer is not an order. Does baseUrl name an Oncepay API?');
}
