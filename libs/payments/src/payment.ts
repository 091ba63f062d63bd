/** Stripe's word for a PaymentIntent, or `pending` while there is none. Source: PaymentIntent.status, API 2026-10-28. */
export const PAYMENT_STATUSES = [
  'pending',
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
] as const;

/** The status of a payment. */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** The status of an order, as section "Orders" of the HTTP contract publishes it. */
export const ORDER_STATUSES = [
  'pending',
  'processing',
  'requires_payment',
  'requires_action',
  'authorized',
  'paid',
  'partially_refunded',
  'refunded',
  'canceled',
  'expired',
  'failed',
] as const;

/** The status of an order. */
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * What we can order at Stripe for a payment. `customer` makes the one who keeps the card, before the intent that names them;
 * `cancel_orphan` cancels an intent that an earlier generation of the create left behind, and leaves the payment as it is.
 */
export const OPERATION_KINDS = ['customer', 'create', 'confirm', 'capture', 'cancel', 'refund', 'cancel_orphan'] as const;

/** One of these kinds. */
export type OperationKind = (typeof OPERATION_KINDS)[number];

/** Whether operations of this kind run beside the payment's others, which are carried out one after another. */
export function runsBeside(kind: OperationKind): kind is 'refund' | 'cancel_orphan' {
  return kind === 'refund' || kind === 'cancel_orphan';
}

/**
 * queued: ordered, not sent. in_flight: sent, no answer yet. unknown: sent, and nobody knows what became of it.
 * parked: needs a person. These are open. done, declined, rejected, withdrawn: nothing of it is left to do.
 */
export type OperationStatus = 'queued' | 'in_flight' | 'unknown' | 'parked' | 'done' | 'declined' | 'rejected' | 'withdrawn';

/** Whether an operation may still change something at Stripe. */
export function isOpen(status: OperationStatus): boolean {
  switch (status) {
    case 'queued':
    case 'in_flight':
    case 'unknown':
    case 'parked':
      return true;
    case 'done':
    case 'declined':
    case 'rejected':
    case 'withdrawn':
      return false;
  }
}

/** Why the last attempt to pay failed, in Stripe's codes; the message is written for the buyer. */
export interface PaymentError {
  readonly code: string | null;
  readonly declineCode: string | null;
  readonly message: string | null;
}

/** What the buyer has to do next; `url` is null where Stripe.js does it in the page. */
export interface NextAction {
  readonly type: string;
  readonly url: string | null;
}

/** How the buyer pays: in the shop's own page, or on the page of a Stripe Checkout Session. */
export type Checkout = 'elements' | 'hosted';

/** What an observation of the PaymentIntent, or of the Checkout Session that makes it, can change. */
export interface PaymentFacts {
  readonly status: PaymentStatus;
  readonly stripePaymentIntentId: string | null;
  readonly stripeClientSecret: string | null;
  readonly stripeChargeId: string | null;
  readonly paymentMethod: string | null;
  readonly nextAction: NextAction | null;
  readonly lastError: PaymentError | null;
  /** Stripe's word for the intent's end, or `SESSION_LAPSED`. */
  readonly cancellationReason: string | null;
  /** The Checkout Session of a hosted payment, once there is one. */
  readonly checkoutSessionId: string | null;
  /** Where the buyer pays; null when there is no such page, or when the session takes no payment any more. */
  readonly url: string | null;
}

/** Our own word for the end of a payment whose Checkout Session reached the time that we had set for it. */
export const SESSION_LAPSED = 'session_lapsed';

/** The command that ordered an operation; `expiry` is our own. */
export type OrderedBy = 'create' | 'pay' | 'capture' | 'cancel' | 'expiry' | 'refund' | 'reconciliation';

/** An operation as far as the state of its payment depends on it. */
export interface OperationFacts {
  readonly id: string;
  readonly kind: OperationKind;
  readonly orderedBy: OrderedBy;
  readonly sequence: number;
  readonly status: OperationStatus;
  /** The refund it makes, if it makes one. */
  readonly refundId: string | null;
}

/** Where a refund stands; Stripe's `requires_action` counts as pending. */
export type RefundStatus = 'pending' | 'succeeded' | 'failed' | 'canceled';

/** A refund of a payment, ordered by us or made elsewhere and observed. amount: integer in Stripe's unit of the payment's currency. */
export interface RefundFacts {
  readonly id: string;
  readonly status: RefundStatus;
  readonly amount: number;
  readonly reason: string | null;
  readonly failureReason: string | null;
  readonly stripeRefundId: string | null;
}

/** A dispute of a payment, as Stripe tells it: a separate axis, which moves neither payment nor order. openedAt: RFC 3339. */
export interface DisputeFacts {
  readonly stripeDisputeId: string;
  /** Stripe's word, of this API version or a later one. */
  readonly status: string;
  readonly amount: number;
  readonly reason: string;
  readonly openedAt: string;
}

/** One payment with what surrounds it, read at one `version`: the whole that every decision is made on. */
export interface PaymentState extends PaymentFacts {
  readonly orderId: string;
  readonly paymentId: string;
  readonly version: number;
  readonly orderStatus: OrderStatus;
  readonly amount: number;
  readonly currency: string;
  readonly checkout: Checkout;
  readonly amountCaptured: number;
  readonly amountRefunded: number;
  readonly amountRefundPending: number;
  readonly operations: readonly OperationFacts[];
  readonly refunds: readonly RefundFacts[];
  readonly dispute: DisputeFacts | null;
  /** Whose saved cards the payment may use or add to. */
  readonly stripeCustomerId: string | null;
}

/** What of a payment's state an observation of its intent or session can change. */
export function paymentFactsOf({
  status,
  stripePaymentIntentId,
  stripeClientSecret,
  stripeChargeId,
  paymentMethod,
  nextAction,
  lastError,
  cancellationReason,
  checkoutSessionId,
  url,
}: PaymentState): PaymentFacts {
  return {
    status,
    stripePaymentIntentId,
    stripeClientSecret,
    stripeChargeId,
    paymentMethod,
    nextAction,
    lastError,
    cancellationReason,
    checkoutSessionId,
    url,
  };
}
