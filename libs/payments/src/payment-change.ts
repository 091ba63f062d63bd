import { type OutboxMessage } from '#libs/jobs';
import { publicId } from '#libs/primitives';
import { orderStatusOf } from './order-status.js';
import {
  type DisputeFacts,
  type OperationFacts,
  type OperationStatus,
  type OrderStatus,
  type PaymentError,
  type PaymentFacts,
  paymentFactsOf,
  type PaymentState,
  type RefundFacts,
} from './payment.js';

/** How an operation ended. `fence` is its holder's; an operation that nobody ever claimed has fence 0. */
export interface SettledOperation {
  readonly id: string;
  readonly fence: number;
  readonly status: Extract<OperationStatus, 'done' | 'declined' | 'rejected' | 'parked' | 'withdrawn'>;
  readonly error: PaymentError | null;
}

/** An operation on its way into the database. */
export interface NewOperation extends OperationFacts {
  readonly stripeIdempotencyKey: string;
  readonly params: object;
  /** The X-Request-Id of the command that orders it, where one does. */
  readonly requestId?: string;
}

/** One line of an order's timeline. */
export interface TimelineEntry {
  readonly id: string;
  readonly type: string;
  readonly cause: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What moves a payment: facts about its intent, ends and orders of operations, refunds that are new or changed, its dispute and customer. */
export interface Move {
  readonly facts?: Partial<PaymentFacts>;
  readonly amountCaptured?: number;
  readonly settled?: readonly SettledOperation[];
  readonly ordered?: readonly NewOperation[];
  readonly refunds?: readonly RefundFacts[];
  readonly dispute?: DisputeFacts;
  readonly stripeCustomerId?: string;
}

/** A change of one payment and its order as one statement writes it, computed from the state at `version`. */
export interface PaymentChange {
  readonly orderId: string;
  readonly paymentId: string;
  readonly currency: string;
  readonly version: number;
  readonly orderStatus: OrderStatus;
  readonly amountCaptured: number;
  readonly amountRefunded: number;
  readonly amountRefundPending: number;
  readonly payment: PaymentFacts;
  readonly settled: readonly SettledOperation[];
  readonly ordered: readonly NewOperation[];
  readonly refunds: readonly RefundFacts[];
  readonly dispute: DisputeFacts | null;
  readonly stripeCustomerId: string | null;
  readonly events: readonly TimelineEntry[];
  readonly outbox: readonly OutboxMessage[];
  readonly at: Date;
}

interface Circumstances {
  readonly cause: string;
  readonly now: Date;
  readonly newId: () => string;
}

/**
 * What a move makes of a payment and its order: the state after it, and the change that writes it with its timeline
 * and the jobs of what was ordered. Pure. What still waits behind a customer or create that Stripe rejected is withdrawn.
 */
export function planChange(
  before: PaymentState,
  move: Move,
  { cause, now, newId }: Circumstances,
): { after: PaymentState; change: PaymentChange } {
  const ordered = move.ordered ?? [];
  const settled = [...(move.settled ?? []), ...withdrawnWith(before, move.settled ?? [])];
  const changed = move.refunds ?? [];
  const refunds = withChanged(before.refunds, changed);
  const moved: PaymentState = {
    ...before,
    ...move.facts,
    version: before.version + 1,
    amountCaptured: move.amountCaptured ?? before.amountCaptured,
    amountRefunded: sumOf(refunds, 'succeeded'),
    amountRefundPending: sumOf(refunds, 'pending'),
    operations: [
      ...before.operations.map((known) => ({ ...known, status: settled.find(({ id }) => id === known.id)?.status ?? known.status })),
      ...ordered,
    ],
    refunds,
    dispute: move.dispute ?? before.dispute,
    stripeCustomerId: move.stripeCustomerId ?? before.stripeCustomerId,
  };
  const after = { ...moved, orderStatus: orderStatusOf(moved) };
  const outbox = ordered.map(({ id, kind }): OutboxMessage => ({
    id: newId(),
    kind: kind === 'refund' ? 'refund-operation' : 'payment-operation',
    payload: { operationId: id },
  }));
  const events = timelineOf(before, after, settled, changed).map((entry) => ({
    id: newId(),
    cause: hasLapsed(before, after) ? 'authorization_expired' : cause,
    ...entry,
  }));
  const { orderId, paymentId, currency, orderStatus, amountCaptured, amountRefunded, amountRefundPending, dispute, stripeCustomerId } =
    after;
  const change = {
    orderId,
    paymentId,
    currency,
    version: before.version,
    orderStatus,
    amountCaptured,
    amountRefunded,
    amountRefundPending,
    payment: paymentFactsOf(after),
    settled,
    ordered,
    refunds: changed,
    dispute,
    stripeCustomerId,
    events,
    outbox,
    at: now,
  };
  return { after, change };
}

function withChanged(refunds: readonly RefundFacts[], changed: readonly RefundFacts[]): readonly RefundFacts[] {
  const isNew = ({ id }: RefundFacts): boolean => refunds.every((known) => known.id !== id);
  return [...refunds.map((known) => changed.find(({ id }) => id === known.id) ?? known), ...changed.filter(isNew)];
}

function withdrawnWith({ operations }: PaymentState, settled: readonly SettledOperation[]): SettledOperation[] {
  const isRejected = operations.some(
    ({ id, kind }) => (kind === 'customer' || kind === 'create') && settled.some((end) => end.id === id && end.status === 'rejected'),
  );
  if (!isRejected) return [];
  return operations
    .filter(({ id, status }) => status === 'queued' && settled.every((end) => end.id !== id))
    .map(({ id }) => ({ id, fence: 0, status: 'withdrawn', error: null }));
}

/** One line for each thing that moved, and one for a refusal, which moves nothing. */
function timelineOf(
  before: PaymentState,
  after: PaymentState,
  settled: readonly SettledOperation[],
  refunds: readonly RefundFacts[],
): Omit<TimelineEntry, 'id' | 'cause'>[] {
  const refusals = settled.flatMap(({ id, status, error }) => {
    if (status === 'done') return [];
    const operation = before.operations.find((known) => known.id === id)?.kind ?? null;
    return [{ type: `operation.${status}`, data: { operation, error } }];
  });
  const refunded = refunds.flatMap(({ id, status, amount, failureReason }) => {
    const from = before.refunds.find((known) => known.id === id)?.status ?? null;
    return from === status
      ? []
      : [{ type: `refund.${status}`, data: { refund: publicId('ref', id), from, to: status, amount, failureReason } }];
  });
  const paid =
    before.status === after.status
      ? []
      : [
          {
            type: `payment.${after.status}`,
            data: { from: before.status, to: after.status, stripePaymentIntentId: after.stripePaymentIntentId },
          },
        ];
  const { amountCaptured } = after;
  const ordered = movesOf(before.orderStatus, after.orderStatus).map(({ from, to }) => ({
    type: `order.${to}`,
    data: { from, to, amountCaptured, amountRefunded: to === 'paid' ? 0 : after.amountRefunded },
  }));
  return [...refusals, ...paid, ...refunded, ...disputed(before, after), ...ordered];
}

const RETURNED: readonly OrderStatus[] = ['partially_refunded', 'refunded'];

/** The moves that lead from one status to another. An order whose payment and refund we hear of in one was paid between: who waits for that must be told. */
function movesOf(from: OrderStatus, to: OrderStatus): readonly { readonly from: OrderStatus; readonly to: OrderStatus }[] {
  if (from === to) return [];
  if (!RETURNED.includes(to) || from === 'paid' || RETURNED.includes(from)) return [{ from, to }];
  return [
    { from, to: 'paid' },
    { from: 'paid', to },
  ];
}

/** Every change of a dispute is told, its amount and reason included. */
function disputed({ dispute: from }: PaymentState, { dispute: to }: PaymentState): Omit<TimelineEntry, 'id' | 'cause'>[] {
  if (to === null || to === from) return [];
  const { status, stripeDisputeId, amount, reason } = to;
  return [
    {
      type: `dispute.${status}`,
      data: { stripeDisputeId, from: from?.stripeDisputeId === stripeDisputeId ? from.status : null, to: status, amount, reason },
    },
  ];
}

/** Stripe cancels an authorisation that nobody captured in time, by itself. Source: docs.stripe.com/payments/place-a-hold-on-a-payment-method. */
function hasLapsed(before: PaymentState, after: PaymentState): boolean {
  const reason = after.cancellationReason;
  return before.status === 'requires_capture' && after.status === 'canceled' && (reason === 'automatic' || reason === 'expired');
}

function sumOf(refunds: readonly RefundFacts[], status: RefundFacts['status']): number {
  return refunds.reduce((sum, refund) => sum + (refund.status === status ? refund.amount : 0), 0);
}
