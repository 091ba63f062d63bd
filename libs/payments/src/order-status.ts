import {
  isOpen,
  runsBeside,
  SESSION_LAPSED,
  type OperationFacts,
  type OrderedBy,
  type OrderStatus,
  type PaymentState,
  type PaymentStatus,
} from './payment.js';

/** What, besides the payment's status, decides the order's. */
type Circumstance =
  | 'always'
  | 'create rejected'
  | 'confirm of the order open, pending so far'
  | 'confirm open'
  | 'session open'
  | 'session complete'
  | 'nothing refunded'
  | 'part refunded'
  | 'all refunded'
  | 'expired by us';

interface StatusRule {
  readonly payment: readonly PaymentStatus[];
  readonly when: Circumstance;
  readonly order: OrderStatus;
}

/**
 * The published table: payment status to order status. The first row that fits decides. "Open" means queued, sent or
 * unknown; once Stripe's word shows that a confirm took effect, that word outranks the confirm's own outcome.
 */
export const ORDER_STATUS_RULES: readonly StatusRule[] = [
  { payment: ['pending'], when: 'create rejected', order: 'failed' },
  { payment: ['pending'], when: 'always', order: 'pending' },
  { payment: ['requires_payment_method', 'requires_confirmation'], when: 'confirm of the order open, pending so far', order: 'pending' },
  { payment: ['requires_payment_method', 'requires_confirmation'], when: 'confirm open', order: 'processing' },
  { payment: ['requires_payment_method', 'requires_confirmation'], when: 'always', order: 'requires_payment' },
  { payment: ['requires_action'], when: 'session open', order: 'requires_payment' },
  { payment: ['requires_action'], when: 'session complete', order: 'processing' },
  { payment: ['requires_action'], when: 'always', order: 'requires_action' },
  { payment: ['processing'], when: 'always', order: 'processing' },
  { payment: ['requires_capture'], when: 'always', order: 'authorized' },
  { payment: ['succeeded'], when: 'nothing refunded', order: 'paid' },
  { payment: ['succeeded'], when: 'part refunded', order: 'partially_refunded' },
  { payment: ['succeeded'], when: 'all refunded', order: 'refunded' },
  { payment: ['canceled'], when: 'expired by us', order: 'expired' },
  { payment: ['canceled'], when: 'always', order: 'canceled' },
];

/**
 * To where an order moves from each status, as payments move along their table and refunds succeed or fail after all. The same status
 * again is no move.
 */
export const ORDER_TRANSITIONS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['requires_payment', 'requires_action', 'processing', 'authorized', 'paid', 'canceled', 'expired', 'failed'],
  requires_payment: ['requires_action', 'processing', 'authorized', 'paid', 'canceled', 'expired'],
  requires_action: ['requires_payment', 'processing', 'authorized', 'paid', 'canceled', 'expired'],
  processing: ['requires_payment', 'requires_action', 'authorized', 'paid', 'canceled'],
  authorized: ['paid', 'canceled', 'expired'],
  paid: ['partially_refunded', 'refunded'],
  partially_refunded: ['paid', 'refunded'],
  refunded: ['paid', 'partially_refunded'],
  canceled: [],
  expired: [],
  failed: [],
};

/** What the order's status follows from. */
export type OrderStatusFacts = Pick<
  PaymentState,
  'orderStatus' | 'status' | 'amountCaptured' | 'amountRefunded' | 'operations' | 'checkoutSessionId' | 'url' | 'cancellationReason'
>;

/** The order status that the published table gives; `orderStatus` is the one so far. Throws when no row fits, which is a bug in the table. */
export function orderStatusOf(facts: OrderStatusFacts): OrderStatus {
  const rule = ORDER_STATUS_RULES.find(({ payment, when }) => payment.includes(facts.status) && holds(when, facts));
  if (rule === undefined) throw new Error(`bug: no order status for a payment that is ${facts.status}`);
  return rule.order;
}

function holds(circumstance: Circumstance, facts: OrderStatusFacts): boolean {
  const { orderStatus, amountCaptured, amountRefunded, operations, checkoutSessionId, url, cancellationReason } = facts;
  switch (circumstance) {
    case 'always':
      return true;
    case 'create rejected':
      // Without the customer nothing is created either.
      return operations.some(({ kind, status }) => (kind === 'create' || kind === 'customer') && status === 'rejected');
    // Stripe's events can tell of a confirm, and of what the buyer did then, before its own answer is known: no order goes back to pending.
    case 'confirm of the order open, pending so far':
      return (
        orderStatus === 'pending' &&
        operations.some(({ kind, orderedBy, status }) => kind === 'confirm' && orderedBy === 'create' && isOpen(status))
      );
    case 'confirm open':
      return operations.some(({ kind, status }) => kind === 'confirm' && isOpen(status));
    // Stripe shows the address of a session's page only as long as a buyer can pay there.
    case 'session open':
      return checkoutSessionId !== null && url !== null;
    case 'session complete':
      return checkoutSessionId !== null && url === null;
    case 'nothing refunded':
      return amountRefunded === 0;
    case 'part refunded':
      return amountRefunded > 0 && amountRefunded < amountCaptured;
    case 'all refunded':
      return amountRefunded > 0 && amountRefunded >= amountCaptured;
    case 'expired by us':
      // Ours carries its reason; a session has none, and is ours when we asked for its end or when it reached its time.
      if (checkoutSessionId === null) return cancellationReason === 'abandoned' && isCanceledBy('expiry', facts);
      return isCanceledBy('expiry', facts) || (cancellationReason === SESSION_LAPSED && !isCanceledBy('cancel', facts));
  }
}

function isCanceledBy(command: OrderedBy, { operations }: OrderStatusFacts): boolean {
  return operations.some(
    ({ kind, orderedBy, status }) => kind === 'cancel' && orderedBy === command && (isOpen(status) || status === 'done'),
  );
}

/** What was ordered last for the payment and is not settled yet, for `pendingOperation`; refunds have a status of their own, a customer is part of the create. */
export function pendingOperationOf(operations: readonly OperationFacts[]): 'create' | 'confirm' | 'capture' | 'cancel' | null {
  let last: OperationFacts | null = null;
  for (const operation of operations) {
    if (!runsBeside(operation.kind) && isOpen(operation.status) && (last === null || operation.sequence > last.sequence)) last = operation;
  }
  if (last === null || runsBeside(last.kind)) return null;
  return last.kind === 'customer' ? 'create' : last.kind;
}
