import { type OrderJson } from '../support/stack.js';

/** What the acknowledged commands of a sequence imply, whatever became of them since. */
export interface Model {
  readonly orders: ModelOrder[];
  isWorkerRunning: boolean;
  /** How often time leapt. */
  leaps: number;
  /** How many steps were taken. */
  steps: number;
}

/** One order as its commands left it. */
export interface ModelOrder {
  readonly id: string;
  readonly amount: number;
  /** Whether its buyer pays on the page of a Checkout Session. */
  readonly isHosted: boolean;
  /** Whether the card is to be kept. */
  readonly savesCard: boolean;
  /** What is to be captured of a manual order, once that was accepted; null until then. */
  captured: number | null;
  isCancelAccepted: boolean;
  /** Whether somebody else has ended its Checkout Session. */
  isExpiredThere: boolean;
  readonly refunds: { readonly id: string; readonly amount: number }[];
}

/** A command on an order. */
export type Verb = 'pay' | 'capture' | 'cancel' | 'refunds';

/** An order with the amounts that decide on refunds. */
export interface OrderSeen extends OrderJson {
  readonly currency: string;
  readonly checkout: string;
  readonly expiresAt: string;
  readonly customer: { readonly stripeCustomerId: string | null } | null;
  readonly amountRefunded: number;
  readonly amountRefundPending: number;
  readonly dispute: { readonly status: string; readonly amount: number; readonly reason: string } | null;
}

/** Stripe keeps events for 30 days, and answers are stored as long: a sequence ends before. */
export const LEAPS_MAX = 3;

const ENDED = ['canceled', 'expired', 'failed'];
/** What has been paid, however much of it was returned. */
export const PAID = ['paid', 'partially_refunded', 'refunded'];
const CANCELABLE = ['requires_payment', 'requires_action', 'authorized'];
const AWAITS_CARD = ['requires_payment_method', 'requires_confirmation'];

/** Whether an accepted command's answer shows the order as the contract lets the command be carried out on it. */
export function isAccepting(verb: Exclude<Verb, 'refunds'>, { status, payment }: OrderSeen): boolean {
  switch (verb) {
    case 'pay':
      return status === 'processing' && payment.pendingOperation === 'confirm' && AWAITS_CARD.includes(payment.status);
    case 'capture':
      return status === 'authorized' && payment.pendingOperation === 'capture';
    case 'cancel':
      // One that no worker has claimed is canceled at once, and has no intent.
      return status === 'canceled'
        ? payment.stripePaymentIntentId === null
        : CANCELABLE.includes(status) && payment.pendingOperation === 'cancel';
  }
}

/** The codes with which the contract lets a command on this order be answered; `accepted` among them where it must or may be carried out. */
export function answersTo(verb: Verb, order: OrderSeen, amount: number | null): readonly string[] {
  if (verb === 'refunds') {
    if (!PAID.includes(order.status))
      return [order.payment.pendingOperation === null || ENDED.includes(order.status) ? 'order_not_refundable' : 'operation_in_progress'];
    const left = order.amountCaptured - order.amountRefunded - order.amountRefundPending;
    return left <= 0 || (amount ?? left) > left ? ['refund_exceeds_captured'] : ['accepted'];
  }
  if (order.payment.pendingOperation !== null) {
    // Whether a worker has claimed the create is not to be seen from outside.
    return verb === 'cancel' && order.status === 'pending' ? ['operation_in_progress', 'accepted'] : ['operation_in_progress'];
  }
  switch (verb) {
    case 'pay':
      return order.status === 'requires_payment' && order.checkout !== 'hosted' ? ['accepted'] : ['order_not_payable'];
    case 'capture':
      if (order.status !== 'authorized') return ['order_not_capturable'];
      return amount !== null && amount > order.amount ? ['validation_failed'] : ['accepted'];
    case 'cancel':
      return CANCELABLE.includes(order.status) ? ['accepted'] : ['order_not_cancelable'];
  }
}

/** Whether nothing that may still happen lets the command be carried out: then its refusal is stored. */
export function isRefusedForEver(verb: Verb, { status, checkout }: OrderSeen): boolean {
  if (verb === 'pay' && checkout === 'hosted') return true;
  return ENDED.includes(status) || (verb !== 'refunds' && PAID.includes(status));
}
