import { isLockTimeout, type Tx } from '#libs/database';
import { type Claim, type StoredResponse } from '#libs/idempotency';
import {
  cancelParams,
  captureIntentParams,
  commitChange,
  confirmIntentParams,
  lockPayment,
  lockUnclaimedOperations,
  type Move,
  type NewOperation,
  type OperationKind,
  type OrderedBy,
  type PaymentState,
  planChange,
  refundParams,
  stripeIdempotencyKey,
} from '#libs/payments';
import { DomainError, effect } from '#libs/primitives';
import { type Order, type Orderer } from './order.js';
import { assertCancelable, assertCapturable, assertPayable, hasOpenOperation, refundableAmount } from './order-commands.js';
import { orderedByRequest } from './ordered-by-request.js';
import { viewOrder } from './order-view.js';
import { type Orders } from './orders.js';
import { findOrder } from './orders.store.js';
import { viewRefund } from './refund-view.js';

/** Which order a command is for, whose it is, and how it becomes the key's. */
export interface OrderCommand {
  readonly owner: Orderer;
  readonly orderId: string;
  readonly claim: Claim;
  /** Refuses the command when the order is no longer as its sender saw it. Throws DomainError precondition_failed. */
  readonly assertUnchanged?: (order: Order) => void;
}

/** Why money is returned, in Stripe's words. */
export type RefundReason = 'duplicate' | 'fraudulent' | 'requested_by_customer';

/** Orders another attempt to pay, with another payment method, on the same intent. Throws DomainError. */
export function payOrder(orders: Orders, command: OrderCommand, paymentMethod: string): Promise<StoredResponse | 'taken'> {
  return carryOut(orders, command, 'pay', (_, payment, order) => {
    assertPayable(payment);
    return { ordered: [newOperation(orders, payment, 'confirm', 'pay', () => confirmIntentParams(paymentMethod, order.returnUrl))] };
  });
}

/** Orders the capture of authorised money; without an amount, all of it. Throws DomainError. */
export function captureOrder(orders: Orders, command: OrderCommand, amount: number | null): Promise<StoredResponse | 'taken'> {
  return carryOut(orders, command, 'capture', (_, payment) => {
    assertCapturable(payment, amount);
    return { ordered: [newOperation(orders, payment, 'capture', 'capture', () => captureIntentParams(amount))] };
  });
}

/**
 * Orders the cancellation of the intent; the order is canceled once Stripe has done it, so that no late success can
 * follow. One whose create nobody ever claimed is canceled at once: Stripe never heard of it. Throws DomainError.
 */
export function cancelOrder(orders: Orders, command: OrderCommand): Promise<StoredResponse | 'taken'> {
  return carryOut(orders, command, 'cancel', async (tx, payment) => {
    const unclaimed = payment.status === 'pending' && hasOpenOperation(payment) ? await lockUnclaimedOperations(tx, payment.orderId) : null;
    if (unclaimed !== null) {
      return {
        facts: { status: 'canceled', cancellationReason: 'requested_by_customer' },
        settled: unclaimed.map((id) => ({ id, fence: 0, status: 'withdrawn', error: null })),
      };
    }
    assertCancelable(payment);
    return { ordered: [newOperation(orders, payment, 'cancel', 'cancel', () => cancelParams(payment, 'requested_by_customer'))] };
  });
}

/**
 * Reserves a refund under the order's row lock, before Stripe hears of it, and orders it; without an amount, all that
 * is left. Throws DomainError.
 */
export function refundOrder(
  orders: Orders,
  command: OrderCommand,
  amount: number | null,
  reason: RefundReason | null,
): Promise<StoredResponse | 'taken'> {
  const refundId = orders.entropy.uuid();
  return carryOut(
    orders,
    command,
    'refund',
    (_, payment) => {
      const refunded = refundableAmount(payment, amount);
      const { instance } = orders;
      const operation = newOperation(
        orders,
        payment,
        'refund',
        'refund',
        (operationId) => refundParams({ instance, orderId: payment.orderId, operationId, amount: refunded, reason }),
        refundId,
      );
      return {
        ordered: [operation],
        refunds: [{ id: refundId, status: 'pending', amount: refunded, reason, failureReason: null, stripeRefundId: null }],
      };
    },
    (order, payment) => {
      const refund = payment.refunds.find(({ id }) => id === refundId);
      if (refund === undefined) throw new Error('bug: the reserved refund is not part of the change');
      const view = viewRefund({ ...refund, orderId: order.id, currency: order.currency, createdAt: order.updatedAt });
      return { status: 201, location: `/v1/refunds/${view.id}`, body: JSON.stringify(view) };
    },
  );
}

type Decide = (tx: Tx, payment: PaymentState, order: Order) => Move | Promise<Move>;
type Answer = (order: Order, payment: PaymentState) => StoredResponse;

/** Locks the order, decides, writes key, change and outbox in one transaction, and wakes the relay. */
async function carryOut(
  orders: Orders,
  command: OrderCommand,
  name: OrderedBy,
  decide: Decide,
  answer: Answer = answerWithOrder(orders),
): Promise<StoredResponse | 'taken'> {
  const { owner, orderId, claim, assertUnchanged } = command;
  const newId = (): string => orders.entropy.uuid();
  const commit = (): Promise<StoredResponse | 'taken'> =>
    claim.inTransaction(async (tx) => {
      const payment = (await findOrder(tx, owner, orderId)) === null ? null : await lockPayment(tx, orderId);
      const order = payment === null ? null : await findOrder(tx, owner, orderId);
      if (payment === null || order === null) throw new DomainError('not_found', 'There is no order with this id.');
      assertUnchanged?.(order);
      const { after, change } = planChange(payment, await decide(tx, payment, order), {
        cause: `command:${name}`,
        now: orders.clock.now(),
        newId,
      });
      if (!(await commitChange(tx, change))) throw new Error(`bug: the change of a locked order ${orderId} was refused`);
      const changed = await findOrder(tx, owner, orderId);
      if (changed === null) throw new Error(`bug: order ${orderId} vanished under its lock`);
      return answer(changed, after);
    });
  const result = await inTurn(orders, orderId, () => effect('api.command.commit', commit));
  if (result !== 'taken') orders.bell.ring();
  return result;
}

/** One command on an order after another; whoever cannot have the order in time comes again. Throws DomainError operation_in_progress. */
async function inTurn<T>({ turns }: Orders, orderId: string, work: () => Promise<T>): Promise<T> {
  try {
    const result = await turns.take(orderId, work);
    if (result !== 'late') return result;
  } catch (error) {
    // Another process has held the order for longer than any command takes.
    if (!isLockTimeout(error)) throw error;
  }
  throw new DomainError('operation_in_progress', 'Other commands on this order are being carried out.', { retryAfterSeconds: 1 });
}

function answerWithOrder({ stripePublishableKey }: Orders): Answer {
  return (order) => {
    const view = viewOrder(order, { stripePublishableKey, withSecrets: true });
    return { status: 200, location: `/v1/orders/${view.id}`, body: JSON.stringify(view) };
  };
}

/** An operation behind all that were ordered for the payment so far. */
export function newOperation(
  { entropy }: Pick<Orders, 'entropy'>,
  payment: PaymentState,
  kind: OperationKind,
  orderedBy: OrderedBy,
  paramsOf: (operationId: string) => object,
  refundId: string | null = null,
): NewOperation {
  const id = entropy.uuid();
  const sequence = Math.max(...payment.operations.map((known) => known.sequence)) + 1;
  return {
    id,
    kind,
    orderedBy,
    sequence,
    status: 'queued',
    refundId,
    stripeIdempotencyKey: stripeIdempotencyKey(id, 1),
    params: paramsOf(id),
    ...orderedByRequest(),
  };
}
